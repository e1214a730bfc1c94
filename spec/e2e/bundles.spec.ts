/** The bundles of dist/: a module in two of them would have two states, and two classes of the same name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from '../support/daemons.js'

const dist = join(repository, 'dist')
const programs = readdirSync(join(dist, 'cli'))
  .filter((name) => name.endsWith('.js'))
  .map((name) => join(dist, 'cli', name))

/** The bundles that these load or start as threads, and so on: dist/ may hold older ones too. */
const reachable = (entries: readonly string[]): ReadonlySet<string> => {
  const found = new Set(entries)
  for (const bundle of found)
    for (const [, path = ''] of readFileSync(bundle, 'utf8').matchAll(/"((?:\.\.?\/)?[\w./-]+\.js)"/g)) {
      const file = resolve(dirname(bundle), path)
      if (existsSync(file)) found.add(file)
    }
  return found
}

/** Empty for a bundle that only exports what others hold: it has no map. */
const sourcesOf = (bundle: string): readonly string[] => {
  if (!existsSync(`${bundle}.map`)) return []
  const { sources } = JSON.parse(readFileSync(`${bundle}.map`, 'utf8')) as { sources: readonly string[] }
  return sources.map((source) => relative(repository, resolve(dirname(bundle), source)))
}

describe('dist/', () => {
  it('holds each module once', () => {
    const modules = [...reachable([join(dist, 'index.js'), join(dist, 'testing.js'), ...programs])].flatMap(sourcesOf)
    for (const module of ['base/errors', 'createNode', 'platform/files/diskWorker']) expect(modules).toContain(`src/${module}.ts`)
    expect(modules.filter((module, index) => modules.indexOf(module) !== index)).toEqual([])
  })
})
