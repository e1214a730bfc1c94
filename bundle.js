/**
 * Bundles what is executed and what other programs import: a start loads a few files in place of hundreds. Code that two entries need
 * is in a chunk of its own, so that each module is there once. With `--bench` the benchmarks too, into dist-bench/. The web page is a
 * bundle of its own, for browsers.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { build } from 'rolldown'

/** Most of a start was spent on finding and parsing their files. All others stay outside: native code, threads, the caller's own copy. */
const bundled = ['birpc', 'commander', 'nanoid', 'typebox', 'xstate']
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const external = Object.keys(dependencies)
  .filter((name) => !bundled.includes(name))
  .map((name) => new RegExp(`^${name}(/|$)`))

const programsIn = (folder) => readdirSync(folder).map((name) => `${folder}/${name}`)
const executed = ['src/index.ts', 'src/testing.ts', 'src/programs/simulate/simulateMain.ts', ...programsIn('src/cli')]
const benchmarks = [
  'bench/run.ts',
  'bench/soak.ts',
  'bench/account.ts',
  'bench/balancing.ts',
  'bench/fuzz.ts',
  ...programsIn('bench/children'),
]

const isBench = process.argv.includes('--bench')
const files = isBench ? [...executed, ...benchmarks] : executed
/** The path of a source in dist/ or dist-bench/, without its ending. */
const nameOf = (path) => relative(isBench ? '.' : 'src', path).replace(/\.ts$/, '')

/** `new URL('./xWorker.js', import.meta.url)` names a thread's program: it becomes an entry, and the URL leads to it. */
const threadPrograms = {
  name: 'thread-programs',
  transform: {
    filter: { code: /new URL\([^)]*Worker\.js'/ },
    handler(code, importer) {
      const emit = (_, path) => {
        const id = resolve(dirname(importer), `${path}.ts`)
        return `new URL(import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'chunk', id, name: nameOf(id) })})`
      }
      return { code: code.replaceAll(/new URL\('([^']+Worker)\.js', import\.meta\.url\)/g, emit), map: null }
    },
  },
}

/** What was copied out of other packages keeps its licence. */
const licences = {
  name: 'licences',
  generateBundle() {
    for (const name of bundled) {
      const file = readdirSync(`node_modules/${name}`).find((path) => /^licen[cs]e/i.test(path))
      this.emitFile({ type: 'asset', fileName: `licences/${name}`, source: readFileSync(`node_modules/${name}/${file}`) })
    }
  },
}

await build({
  input: Object.fromEntries(files.map((file) => [nameOf(file), file])),
  platform: 'node',
  external,
  plugins: [threadPrograms, licences],
  output: {
    dir: isBench ? 'dist-bench' : 'dist',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
})

/** Beside its script, as they are. */
const pageFiles = ['index.html', 'page.css', 'icon.svg']

if (!isBench) {
  await build({ input: 'src/page/pageMain.ts', platform: 'browser', output: { file: 'dist/page/page.js', minify: true } })
  for (const name of pageFiles) cpSync(`src/page/${name}`, `dist/page/${name}`)
  // A program for another interpreter, started by its path.
  cpSync('src/platform/manager/python', 'dist/platform/manager/python', { recursive: true })
}
