/** A name from an archive as it may stand in a message: its bytes read as UTF-8, nothing in it that a terminal would act on. */
export function printable(path: string): string {
  const text = Buffer.from(path.length > 200 ? `${path.slice(0, 200)}...` : path, "latin1").toString("utf8");
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
