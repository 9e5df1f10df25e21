// Asks js-tiktoken for tokens: `tokenizers.mjs ENCODING ranks` writes its rank file, a line a token, as tiktoken has it;
// `tokenizers.mjs ENCODING encode` reads a list of texts as JSON and writes a list of lists of tokens.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { Tiktoken } = require("js-tiktoken/lite");
const [encoding, task] = process.argv.slice(2);
const module_ = require(`js-tiktoken/ranks/${encoding}`);
const ranks = module_.default ?? module_;

if (task === "ranks") {
  // A row: a sign, the first rank, and its tokens.
  const lines = [];
  for (const row of ranks.bpe_ranks.split("\n").filter(Boolean)) {
    const [, first, ...tokens] = row.split(" ");
    tokens.forEach((token, i) => lines.push(`${token} ${Number(first) + i}\n`));
  }
  process.stdout.write(lines.join(""));
} else {
  const tokenizer = new Tiktoken(ranks);
  process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((text) => tokenizer.encode(text, [], []))));
}
