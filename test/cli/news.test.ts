import { suite } from "uvu";
import * as assert from "uvu/assert";
import { News } from "../../src/cli/news.ts";
import type { Diagnostic } from "../../src/model/diagnostic.ts";

const it = suite("warnings of run after run");

const orphan: Diagnostic = { code: "W_ORPHANS", message: "shop-old-1" };

it("one that stays is told once, wherever it moves in its file", () => {
  const news = new News();
  news.turn();
  assert.is(news.isNew({ ...orphan, source: { file: "wharf.yaml", line: 1, column: 1 } }), true);
  for (const line of [2, 3]) {
    news.turn();
    assert.is(news.isNew({ ...orphan, source: { file: "wharf.yaml", line, column: 1 } }), false);
  }
});

it("within one run it is told once", () => {
  const news = new News();
  assert.is(news.isNew(orphan), true);
  assert.is(news.isNew(orphan), false);
});

it("one that went and came again is told again", () => {
  const news = new News();
  assert.is(news.isNew(orphan), true);
  news.turn();
  news.turn();
  assert.is(news.isNew(orphan), true);
});

it("others are others", () => {
  const news = new News();
  assert.is(news.isNew(orphan), true);
  news.turn();
  assert.is(news.isNew({ ...orphan, message: "shop-old-2" }), true);
});

it.run();
