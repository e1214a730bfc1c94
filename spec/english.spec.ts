/** The words that CONTRIBUTING asks for, in code, comments, titles and documents, and the length of titles. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What to avoid. Looking up, looking like, and a word in memory are not meant. */
const habits: readonly RegExp[] = [
  /\b(that|which|it) (is|are) none\b|\bnone of ours?\b/i,
  /\bso many\b|\bfor so long\b/i,
  /\banew\b/i,
  /\bwhoever\b/i,
  /\bmend(s|ed|ing)?\b/i,
  /\b(told|tells?|telling)\b/i,
  /\bnews\b/i,
  /\b(dis)?belie(f|ve)/i,
  /\bdoubt/i,
  /\bglimpse|\bglance/i,
  /\bhear(s|d|ing)?\b/i,
  /\blook(s|ed|ing)?\b(?! (up|like|ahead))/i,
  /\b(older|newer|newest|earlier|later|first|last|acknowledged) words?\b/i,
  /\b(Surroundings|Workplace)\b/,
  /\bstands? (twice|in|at|there|here)\b(?! the way)/,
  /\bthose before(?=[:;,.]|$)/,
  /\bthat there (is|are)(?=[:;,.]|$)/,
  /\bwhich there is not\b/,
  // Pages that a reader does not have.
  /\breference\/(wazuh|agent)|\bthe reference('s\b| (prints|says|never)|[:;])/,
  /(?<!If it )\bha(s|ve) not(?=[:;,.]|$)/,
  /(^|[.:;] |\/\*\* |\/\/ |^ \* )Who (was|had|asked|gets?|lacks?|reads?|deletes?|sent|waits?|says|shows)\b/m,
]

/** This file and the table of words name what they forbid. */
const exempt = new Set(['spec/english.spec.ts', 'CONTRIBUTING.md', 'CHANGELOG.md'])

const filesOf = (...endings: readonly string[]): readonly string[] => {
  const listed = spawnSync('git', ['ls-files', ...endings.map((ending) => `*${ending}`)], { cwd: root, encoding: 'utf8' })
  if (listed.status !== 0) throw new Error(`git ls-files failed: ${listed.stderr}`)
  return listed.stdout.split('\n').filter((file) => file !== '' && !exempt.has(file))
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const texts = filesOf('.ts', '.md').map((file) => ({ file, text: read(file) }))

/** Most files hold nothing of it: only the others are split into lines. */
const found = (habit: RegExp): readonly string[] =>
  texts
    .filter(({ text }) => habit.test(text))
    .flatMap(({ file, text }) => text.split('\n').flatMap((line, at) => (habit.test(line) ? [`${file}:${at + 1} ${line.trim()}`] : [])))

/** Parsing every spec takes long: only those with a string this long anywhere are parsed. */
const longString = /(['"`])(?:\\.|(?!\1).){100}/

const startsTest = /^(it|test|describe)\b/

/** Titles of `it`, `test` and `describe` in a spec. */
const titlesIn = (file: string): readonly string[] => {
  const text = read(file)
  if (!longString.test(text)) return []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest)
  const titles: string[] = []
  // Long enough for the longest of the names, and what follows it.
  const beginningOf = (node: ts.Node): string => {
    const start = node.getStart(source)
    return text.slice(start, start + 'describe.'.length)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && startsTest.test(beginningOf(node.expression))) {
      const [title] = node.arguments
      if (title && ts.isStringLiteralLike(title)) titles.push(title.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return titles
}

describe('the words of code and documents', () => {
  it.each(habits)('do without %s', (habit) => expect(found(habit)).toEqual([]))
})

it('titles of tests have under 100 characters', () => {
  const long = filesOf('.spec.ts').flatMap((file) => titlesIn(file).filter((title) => title.length >= 100))
  expect(long).toEqual([])
})
