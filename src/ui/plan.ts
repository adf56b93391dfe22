import type { Style } from "./style.ts";

/** Colours the text of a plan by the sign that each line begins with; without colour the signs say it all. */
export function colourPlan(text: string, style: Style): string {
  if (!style.colour) return text;
  return text
    .split("\n")
    .map((line) => {
      const [, sign] = SIGN.exec(line) ?? [];
      switch (sign) {
        case "+":
          return style.green(line);
        case "-":
          return style.red(line);
        case "~":
        case "-/+":
          return style.yellow(line);
        case "=":
          return style.dim(line);
        default:
          return line;
      }
    })
    .join("\n");
}

const SIGN = /^\s*(-\/\+|[-+~=])\s/;
