/** The documents: their links resolve, here and in the package, and their generated part is up to date. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { updateReference } from '../src/config/renderConfigReference.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const markdownIn = (directory: string): readonly string[] =>
  readdirSync(join(root, directory), { encoding: 'utf8', recursive: directory !== '' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name))

const documents = [...markdownIn(''), ...markdownIn('docs')]

interface Link {
  /** Relative to the root; the document itself when only a heading is named. */
  readonly path: string
  readonly heading: string | undefined
}

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, 'code')

/** The links of a document that do not lead to another host. */
const linksOf = (document: string): readonly Link[] =>
  [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', heading] = target.split('#')
      return { path: path === '' ? document : normalize(join(dirname(document), path)), heading }
    })

/** The anchors of a document's headings, as the sites that show Markdown make them. */
const headingsOf = (document: string): readonly string[] =>
  [...read(document).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

const leadsSomewhere = ({ path, heading }: Link): boolean =>
  existsSync(join(root, path)) && (heading === undefined || headingsOf(path).includes(heading))

/** Where the paths in documents may begin: here, in `src/`, in a layer of it, or beside the document. */
const placesOf = (document: string): readonly string[] => {
  const layers = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return ['', 'src', ...layers.map(({ name }) => join('src', name)), dirname(document)]
}

/** Paths of sources that a document names as code, also without their ending (`actors/files/integrity`). */
const sourcesNamedIn = (document: string): readonly string[] =>
  [...read(document).matchAll(/`([a-z][\w-]*(?:\/[\w.-]+)+)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => /\.(ts|py)$/.test(path) || /^(actors|domain|wire|disk|platform|transport|localSocket|programs|kit)\//.test(path))

/** The paths of the files that `npm pack` would put into the package. */
const packed = (): readonly string[] => {
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (stdout === '') throw new Error(`npm pack printed nothing: ${stderr}`)
  const [tarball] = JSON.parse(stdout) as readonly { files: readonly { path: string }[] }[]
  return (tarball?.files ?? []).map(({ path }) => path)
}

describe('the documents', () => {
  it.each([...documents, 'src/simulation/README.md'])('name only sources that exist: %s', (document) => {
    const exists = (path: string): boolean =>
      placesOf(document).some((place) => [path, `${path}.ts`].some((name) => existsSync(join(root, place, name))))
    expect(sourcesNamedIn(document).filter((path) => !exists(path))).toEqual([])
  })

  it('have no relative link that leads nowhere', () => {
    const broken = documents.flatMap((document) =>
      linksOf(document)
        .filter((link) => !leadsSomewhere(link))
        .map(({ path, heading }) => `${document}: ${path}${heading === undefined ? '' : `#${heading}`}`),
    )
    expect(broken).toEqual([])
  })

  it('are in the package with all that README.md and the documents in docs/ link to', () => {
    const files = packed()
    const holds = (path: string): boolean =>
      statSync(join(root, path)).isDirectory() ? files.some((file) => file.startsWith(`${path}/`)) : files.includes(path)
    const shipped = ['README.md', ...markdownIn('docs')]
    const wanted = new Set([...shipped, ...shipped.flatMap(linksOf).map(({ path }) => path.replace(/\/$/, ''))])
    expect([...wanted].filter((path) => !holds(path))).toEqual([])
  })

  it('have the configuration reference as `npm run docs:config` writes it', () => {
    const operating = read('docs/operating.md')
    expect(updateReference(operating)).toBe(operating)
  })
})
