import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Json } from "../../src/model/json.ts";
import { parseTemplate, TemplateError } from "../../src/ui/go-template.ts";

const it = suite("Go's templates");

const ROW: Json = {
  Name: "shop-web-1",
  State: "running",
  ExitCode: 0,
  Labels: "a=1,com.docker.compose.service=web",
  Publishers: [
    { URL: "0.0.0.0", PublishedPort: 8080 },
    { URL: "::", PublishedPort: 8080 },
  ],
  Nothing: [],
  Size: { one: 1, two: "b" },
};

const CASES: readonly (readonly [string, string])[] = [
  ["{{.Name}}: {{.State}}", "shop-web-1: running"],
  ["plain", "plain"],
  ["{{ .ExitCode }}", "0"],
  ["{{json .Publishers}}", '[{"URL":"0.0.0.0","PublishedPort":8080},{"URL":"::","PublishedPort":8080}]'],
  ['{{.Name | upper | printf "<%s>"}}', "<SHOP-WEB-1>"],
  ["{{range .Publishers}}{{.URL}}:{{.PublishedPort}} {{end}}", "0.0.0.0:8080 :::8080 "],
  ["{{range $i, $p := .Publishers}}{{if $i}},{{end}}{{$p.URL}}{{end}}", "0.0.0.0,::"],
  ["{{range .Nothing}}x{{else}}none{{end}}", "none"],
  ['{{if eq .State "exited" "dead"}}down{{else if eq .State "running"}}up{{else}}?{{end}}', "up"],
  ["{{if and .Name (not .ExitCode)}}fine{{end}}", "fine"],
  ["{{with .Size}}{{.one}}{{$.Name}}{{end}}", "1shop-web-1"],
  ["{{range $key, $value := .Size}}{{$key}}={{$value}};{{end}}", "one=1;two=b;"],
  ['{{.Label "com.docker.compose.service"}}', "web"],
  ["{{(index .Publishers 1).URL}}", "::"],
  ["{{len .Publishers}} {{len .Name}}", "2 10"],
  ["a {{- .ExitCode -}} b", "a0b"],
  ["{{/* nothing */}}x{{`}}`}}", "x}}"],
  ['{{$n := .Name}}{{$n}} {{printf "%-4s|%3d" "ab" 7}}', "shop-web-1 ab  |  7"],
  ['{{join (split "a,b" ",") "-"}}{{println 1 2}}', "a-b1 2\n"],
  ["{{.Size}} {{.Publishers}}", "map[one:1 two:b] [map[URL:0.0.0.0 PublishedPort:8080] map[URL::: PublishedPort:8080]]"],
];

it("give what Go gives", () => {
  for (const [template, expected] of CASES) assert.is(parseTemplate(template)(ROW), expected, template);
});

it("that mean nothing are refused, with the reason", () => {
  const refused = (template: string, why: RegExp) =>
    assert.throws(
      () => parseTemplate(template)(ROW),
      (error: unknown) => error instanceof TemplateError && why.test(error.message),
      template,
    );
  refused("{{.Name", /not closed/);
  refused("{{.Nmae}}", /no field Nmae among Name, State/);
  refused("{{nope .Name}}", /no function nope/);
  refused("{{if .Name}}", /no \{\{end\}\}/);
  refused("{{end}}", /unexpected \{\{end\}\}/);
  refused("{{}}", /nothing to print/);
  refused("{{(.Name}}", /not closed/);
  refused("{{.Name .State}}", /takes no arguments/);
  refused("{{$x}}", /no variable \$x/);
  refused("{{range .ExitCode}}{{end}}{{range .Name}}{{end}}", /range over/);
});

it.run();
