/** The rules of src/: which file may import which, and which may read real time or randomness. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ESLint, Linter } from 'eslint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ambientUses } from './support/ambient.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

interface Violation {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
}

/** What dependency-cruiser finds wrong in `directory`/src, as `rule: from -> to`. */
const violations = (directory: string): readonly string[] => {
  const cruise = spawnSync(process.execPath, [cruiser, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  if (cruise.stdout === '') throw new Error(`dependency-cruiser printed nothing: ${cruise.stderr}`)
  const { summary } = JSON.parse(cruise.stdout) as { summary: { violations: readonly Violation[] } }
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort()
}

describe('imports', () => {
  it('follow the rules everywhere in src/', () => expect(violations(root)).toEqual([]))
})

/** Files of a small tree of its own, and what each imports. */
const goodHouse: Readonly<Record<string, readonly string[]>> = {
  'base/errors.ts': [],
  'base/limits.ts': ['./errors.js'],
  'domain/files/plan.ts': ['../../base/limits.js', 'node:crypto'],
  'domain/agents/keys.ts': ['../files/plan.js'],
  'domain/cluster/rule.ts': ['../agents/keys.js', '../files/plan.js'],
  'domain/queries/view.ts': ['../cluster/rule.js', '../agents/keys.js'],
  'wire/muster/codec.ts': ['../../base/errors.js', '../../domain/agents/keys.js', 'node:crypto'],
  'ports/link.ts': ['../wire/muster/codec.js', '../domain/files/plan.js'],
  'calledAgentStore.ts': ['./base/errors.js', './ports/link.js'],
  'actors/kit/host.ts': ['../../ports/link.js'],
  'actors/files/tree.ts': ['../kit/host.js', '../../domain/files/plan.js', '../../wire/muster/codec.js'],
  'actors/agents/store.ts': ['../files/tree.js', '../kit/host.js'],
  'actors/cluster/registry.ts': ['../agents/store.js', '../files/tree.js'],
  'actors/queries/answers.ts': ['../cluster/registry.js'],
  'actors/node.ts': ['./queries/answers.js', './kit/host.js'],
  'disk/files/apply.ts': ['../../ports/link.js', '../../domain/files/plan.js'],
  'disk/agents/keys.ts': ['../../ports/link.js', '../files/apply.js'],
  'transport/session.ts': ['../ports/link.js', '../wire/muster/codec.js'],
  'platform/net/tcp.ts': ['../../ports/link.js', 'node:net', 'node:dns/promises'],
  'platform/files/files.ts': [
    '../../calledAgentStore.js',
    '../../ports/link.js',
    '../../disk/files/apply.js',
    '../../disk/agents/keys.js',
    'node:fs',
    'node:fs/promises',
  ],
  'simulation/cluster.ts': ['../actors/node.js', '../transport/session.js', '../disk/files/apply.js', '../disk/agents/keys.js'],
  'config/schema.ts': ['../domain/files/plan.js', '../base/errors.js'],
  'config/load.ts': ['./schema.js', 'node:fs'],
  'page/main.ts': ['../base/errors.js', '../domain/queries/view.js'],
  'localSocket/server.ts': ['../ports/link.js', '../domain/queries/view.js', 'node:net'],
  'daemon.ts': ['./platform/files/files.js', './platform/net/tcp.js', './actors/node.js', './config/load.js', 'node:fs'],
  'programs/clusterd/main.ts': ['../../daemon.js', '../../localSocket/server.js'],
  'cli/wazuh-clusterd.ts': ['../programs/clusterd/main.js'],
  'index.ts': ['./daemon.js', './simulation/cluster.js'],
  'testing.ts': ['./index.js'],
}

const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly { readonly name: string }[]
}
const rules = forbidden.map(({ name }) => name)
const capabilities = rules.flatMap((name) => /^capability-(.*)$/.exec(name)?.[1] ?? [])

/** Each capability but the highest imports the one above it; the highest imports what puts all together. */
const orderBreaches = capabilities.map((name, at): Breach => {
  const above = capabilities[at + 1]
  const to = above === undefined ? 'node' : `${above}/highest`
  return [`capability-${name}`, `actors/${name}/lowest.ts`, above === undefined ? '../node.js' : `../${to}.js`, `src/actors/${to}.ts`]
})

/** The rule, the file that breaks it, what it imports, and that import's name in the report. */
type Breach = readonly [string, string, string, string]

const breaches: readonly Breach[] = [
  ['base', 'base/errors.ts', '../ports/link.js', 'src/ports/link.ts'],
  ['domain', 'domain/files/bad.ts', '../../ports/link.js', 'src/ports/link.ts'],
  ['domain', 'domain/files/worse.ts', '../../wire/muster/codec.js', 'src/wire/muster/codec.ts'],
  ['wire', 'wire/muster/bad.ts', '../../ports/link.js', 'src/ports/link.ts'],
  ['ports', 'ports/link.ts', '../disk/files/apply.js', 'src/disk/files/apply.ts'],
  ['calledAgentStore', 'calledAgentStore.ts', './disk/files/apply.js', 'src/disk/files/apply.ts'],
  ['actors', 'actors/kit/bad.ts', '../../transport/session.js', 'src/transport/session.ts'],
  ['actors', 'actors/files/bad.ts', '../../platform/files/files.js', 'src/platform/files/files.ts'],
  ['actors', 'actors/worse.ts', '../simulation/cluster.js', 'src/simulation/cluster.ts'],
  ['disk', 'disk/files/bad.ts', '../../platform/files/files.js', 'src/platform/files/files.ts'],
  ['transport', 'transport/bad.ts', '../actors/node.js', 'src/actors/node.ts'],
  ['platform', 'platform/files/bad.ts', '../../simulation/cluster.js', 'src/simulation/cluster.ts'],
  ['simulation', 'simulation/bad.ts', '../platform/files/files.js', 'src/platform/files/files.ts'],
  ['config', 'config/bad.ts', '../actors/node.js', 'src/actors/node.ts'],
  ['page', 'page/bad.ts', '../ports/link.js', 'src/ports/link.ts'],
  ['localSocket', 'localSocket/bad.ts', '../actors/node.js', 'src/actors/node.ts'],
  ['fronts', 'fronts/bad.ts', '../transport/session.js', 'src/transport/session.ts'],
  ...orderBreaches,
  ['capability-kit', 'actors/kit/worse.ts', '../files/tree.js', 'src/actors/files/tree.ts'],
  ['capability-files', 'domain/files/upward.ts', '../agents/keys.js', 'src/domain/agents/keys.ts'],
  ['capability-files', 'disk/files/upward.ts', '../agents/keys.js', 'src/disk/agents/keys.ts'],
  ['capability-agents', 'actors/agents/upward.ts', '../cluster/registry.js', 'src/actors/cluster/registry.ts'],
  ['capability-cluster', 'domain/cluster/upward.ts', '../queries/view.js', 'src/domain/queries/view.ts'],
  ['capability-queries', 'actors/queries/upward.ts', '../node.js', 'src/actors/node.ts'],
  ['capabilities', 'config/worse.ts', '../domain/weather/rain.js', 'src/domain/weather/rain.ts'],
  ['operating-system', 'domain/files/disk.ts', 'node:fs', 'fs'],
  ['operating-system', 'simulation/files.ts', 'node:fs/promises', 'fs/promises'],
  ['operating-system', 'transport/session.ts', 'node:net', 'net'],
  ['operating-system', 'config/schema.ts', 'node:fs', 'fs'],
  ['operating-system', 'actors/timers.ts', 'node:timers/promises', 'timers/promises'],
  ['barrels-are-for-others', 'cli/bad.ts', '../index.js', 'src/index.ts'],
  ['no-other-barrel', 'cli/worse.ts', '../disk/index.js', 'src/disk/index.ts'],
  ['resolvable', 'cli/missing.ts', './nowhere.js', './nowhere.js'],
  ['not-to-spec', 'cli/tested.ts', '../../spec/fixture.js', 'spec/fixture.ts'],
  ['not-to-dev', 'cli/tested.ts', 'vitest', 'node_modules/vitest/index.d.ts'],
]

describe('the import rules', () => {
  let directory: string

  const write = (house: ReadonlyMap<string, readonly string[]>): void => {
    rmSync(join(directory, 'src'), { recursive: true, force: true })
    for (const [path, imports] of house) {
      const file = join(directory, 'src', path)
      mkdirSync(dirname(file), { recursive: true })
      // Type-only imports count too: a boundary that only types cross is crossed.
      writeFileSync(file, [...imports.map((name, at) => `import type * as a${at} from '${name}'`), 'export {}', ''].join('\n'))
    }
  }

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'muster-architecture-'))
    for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) cpSync(join(root, name), join(directory, name))
    for (const file of ['spec/fixture.ts', 'node_modules/vitest/index.d.ts', 'node_modules/vitest/package.json']) {
      mkdirSync(dirname(join(directory, file)), { recursive: true })
      writeFileSync(join(directory, file), file.endsWith('.json') ? '{ "name": "vitest", "types": "index.d.ts" }' : 'export {}\n')
    }
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it('accept a tree that keeps them', () => {
    write(new Map(Object.entries(goodHouse)))
    expect(violations(directory)).toEqual([])
  })

  it('name every import that breaks one, and no other', () => {
    const house = new Map(Object.entries(goodHouse)).set('disk/index.ts', []).set('domain/weather/rain.ts', [])
    for (const name of capabilities) house.set(`actors/${name}/highest.ts`, [])
    for (const [, path, name] of breaches) house.set(path, [...(house.get(path) ?? []), name])
    write(house)
    expect(violations(directory)).toEqual(breaches.map(([rule, path, , to]) => `${rule}: src/${path} -> ${to}`).sort())
  })

  it('are each broken here', () => {
    const broken = new Set(['no-cycle', ...breaches.map(([rule]) => rule)])
    expect(rules.filter((name) => !broken.has(name))).toEqual([])
  })

  it('refuse a cycle of values and allow one of types', () => {
    write(new Map())
    mkdirSync(join(directory, 'src/domain/files'), { recursive: true })
    const part = (name: string, text: string): void => writeFileSync(join(directory, 'src/domain/files', name), text)
    part('a.ts', `import { b } from './b.js'\nexport const a = () => b()\n`)
    part('b.ts', `import { a } from './a.js'\nexport const b = (): unknown => a()\n`)
    expect(violations(directory).map((violation) => violation.split(':')[0])).toContain('no-cycle')
    part('b.ts', `import type { a } from './a.js'\nexport const b = (): typeof a | undefined => undefined\n`)
    expect(violations(directory)).toEqual([])
  })
})

describe('the tree', () => {
  const filesIn = (folder: string): readonly string[] =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
      .map(({ name, parentPath }) => relative(join(root, folder), join(parentPath, name)))
  const all = filesIn('src').filter((path) => path.endsWith('.ts'))
  const specs = filesIn('spec')
  /** What is not the spec of a file or a folder of src. */
  const ofItsOwn = /^(cluster|compliance|e2e|bench|support|vectors)\//

  it('has no file name twice', () => {
    const names = all.map((path) => path.split('/').at(-1) ?? '')
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })

  it.each(['src', 'spec'])('has no folder of more than 20 files in %s', (folder) => {
    const folders = filesIn(folder).map(dirname)
    expect([...new Set(folders)].filter((name) => folders.filter((other) => other === name).length > 20)).toEqual([])
  })

  it('is mirrored by spec/: each folder is one of src, and the spec of a file lies where its file does', () => {
    const folders = new Set(all.map(dirname).flatMap((folder) => folder.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'))))
    const placeOf = new Map(all.map((path) => [basename(path, '.ts'), dirname(path)]))
    const misplaced = specs.filter((path) => {
      if (ofItsOwn.test(path) || !path.endsWith('.spec.ts')) return false
      const folder = dirname(path)
      return !folders.has(folder) || (placeOf.get(basename(path, '.spec.ts')) ?? folder) !== folder
    })
    expect(misplaced).toEqual([])
  })
})

/** Where real time and randomness may be read: the composition roots, their adapters and the programs around them. */
const realWorld = /^(platform\/|cli\/|programs\/|localSocket\/|page\/pageMain\.ts$|daemon\.ts$)/

const sources = (): readonly string[] =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !realWorld.test(path))

describe('real time and randomness', () => {
  it('are read nowhere in src/ but in the adapters', () => {
    const found = sources().flatMap((path) => ambientUses(readFileSync(join(root, 'src', path), 'utf8')).map((use) => `src/${path}:${use}`))
    expect(found).toEqual([])
  })

  it.each([
    ['const now = Date.now()', 'Date.now'],
    ['const now = Date . now()', 'Date.now'],
    ['const now = Date.now', 'Date.now'],
    ['const now = globalThis.Date.now()', 'Date.now'],
    ['const today = new Date()', 'new Date()'],
    ['setTimeout(fire, 10)', 'setTimeout'],
    ['const later = setTimeout', 'setTimeout'],
    ['const clock = { setTimeout }', 'setTimeout'],
    ['const clock = { later: setTimeout }', 'setTimeout'],
    ['globalThis.setTimeout(fire, 10)', 'setTimeout'],
    ['class A { b = setInterval(fire, 10) }', 'setInterval'],
    ['await new Promise((resolve) => setTimeout(resolve, 5))', 'setTimeout'],
    ['const die = Math.random()', 'Math.random'],
    ['const now = performance.now()', 'performance.now'],
  ])('are seen in: %s', (snippet, use) => expect(ambientUses(`\n${snippet}`)).toEqual([`2: ${use}`]))

  it.each([
    'clock.setTimeout(fire, 10)',
    'this.#clock.setInterval(fire, 10)',
    'class Clock { setTimeout(fire: () => void): number { return 0 } }',
    'interface Clock { setTimeout(fire: () => void): number; readonly setInterval: () => void }',
    'const clock = { setTimeout: (fire: () => void) => queue(fire), setInterval() {} }',
    'const now = clock.now()',
    'const at = new Date(clock.now())',
    'type Timer = ReturnType<typeof setTimeout>',
    'const die = random.next()',
    '// Date.now() and setTimeout(fire) are forbidden here',
    "const hint = 'use setTimeout( of the clock, never Math.random'",
  ])('are not seen in: %s', (snippet) => expect(ambientUses(snippet)).toEqual([]))
})

/** What the rules about the syntax of `file` report about this code. */
const syntaxProblems = async (file: string, code: string): Promise<readonly string[]> => {
  const config: Linter.Config = await new ESLint({ cwd: root }).calculateConfigForFile(join(root, file))
  const rule = config.rules?.['no-restricted-syntax']
  if (!rule) throw new Error('the rule is gone')
  return new Linter().verify(code, { rules: { 'no-restricted-syntax': rule } }).map(({ message }) => message)
}

describe('what a machine decides by', () => {
  const problems = (code: string): Promise<readonly string[]> => syntaxProblems('src/actors/node.ts', code)

  it.each([
    'const thread = (clock) => { let count = 0; return setup({}).createMachine({ entry: () => { count = clock.now() } }) }',
    'const thread = function () { let count; return periodicThread({ begin: () => count }) }',
    'function thread() { let count = 0; const logic = servingThread("x"); return logic }',
    'const thread = (port) => { let starts = 0; return frontThread({ start: () => host.start(++starts) }) }',
  ])('may not be held by its factory: %s', async (code) => {
    expect(await problems(code)).toEqual([expect.stringContaining('in its context')])
  })

  it.each([
    'const thread = () => setup({ actors: { wakes: fromCallback(() => { let stopped = false; return () => { stopped = true } }) } })',
    'const thread = () => periodicThread({ begin: () => { let count = 0; return () => ++count } })',
    'const sum = (numbers) => { let total = 0; for (const number of numbers) total += number; return total }',
  ])('is not held by the factory of: %s', async (code) => expect(await problems(code)).toEqual([]))
})

describe('a text that the page shows', () => {
  const files = ['src/page/elements.ts', 'src/page/pageMain.ts']

  it.each([
    'element.innerHTML = name',
    'element.outerHTML += name',
    "element['innerHTML'] = name",
    "element.insertAdjacentHTML('beforeend', name)",
    'element.setHTMLUnsafe(name)',
    'range.createContextualFragment(name)',
    'frame.srcdoc = name',
    'document.write(name)',
    'document.writeln(name)',
    "new DOMParser().parseFromString(name, 'text/html')",
    'eval(name)',
    'new Function(name)()',
  ])('never becomes an element or code: %s', async (code) => {
    for (const file of files) expect(await syntaxProblems(file, code)).toEqual([expect.stringContaining('nothing may become an element')])
  })

  it.each(['element.textContent = name', 'element.innerText = name', 'node.nodeValue = name'])(
    'is set where it is escaped: %s',
    async (code) => {
      expect(await syntaxProblems('src/page/elements.ts', code)).toEqual([])
      expect(await syntaxProblems('src/page/pageMain.ts', code)).toEqual([expect.stringContaining('setText')])
    },
  )

  it.each([
    'setText(element, name)',
    'if (element.textContent === name) stop()',
    "element.append(html('b', {}, name))",
    'writer.write(name)',
  ])('may be shown by: %s', async (code) => {
    for (const file of files) expect(await syntaxProblems(file, code)).toEqual([])
  })
})
