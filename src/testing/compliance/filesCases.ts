/** The suite for the Files port: what it must do to the synced tree, on a real disk or a simulated one. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Manifest } from '../../domain/files/manifest.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'
import { FilesPair, type FilesSuite, going, sha256 } from './filesPair.js'
import { patchTests } from './patchTests.js'

const stopped = AbortSignal.abort(new Error('stopped'))

const bringsTree =
  (compress: boolean) =>
  async ({ master, sync, worker }: FilesPair): Promise<void> => {
    for (let index = 0; index < 700; index++) master.home.write(`etc/rules/${index % 7}/${index}`, `content ${index}`)
    master.home.write('etc/shared/large', 'large '.repeat(200_000))
    master.home.write('etc/shared/empty', '')
    worker.home.write('etc/shared/extra', 'extra')
    await sync(compress)
  }

const tests: Readonly<Record<string, (pair: FilesPair) => Promise<void>>> = {
  'brings a tree of many small files and a large one to another node': bringsTree(false),

  'brings the same tree compressed': bringsTree(true),

  'announces an edit by a hint, and reports what it changed by a scan of the hint': async ({ master, scan, settle }) => {
    const manifest = new Manifest()
    await scan(master, manifest)
    let hinted: (paths: readonly string[] | undefined) => void = () => undefined
    const hint = new Promise<readonly string[] | undefined>((resolve) => {
      hinted = resolve
    })
    const watch = await settle(master.files.watch((paths) => hinted(paths)))
    assert.equal(watch.isWhole, true)
    master.home.write('etc/rules/ar.conf', 'excluded')
    master.home.write('etc/rules/edited', 'edited')
    const paths = await settle(hint)
    assert.deepEqual(paths, ['etc/rules/edited'])
    await scan(master, manifest, paths)
    assert.equal(manifest.get('etc/rules/edited')?.digest, sha256('edited'))
    await settle(watch.close())
  },

  'takes what this process wrote, unless something else is there by now': async ({ master, scan, settle }) => {
    const manifest = new Manifest()
    const path = 'etc/rules/written'
    await scan(master, manifest)
    master.home.write(path, 'written')
    const other = { path, digest: sha256('written'), stamp: 'another' }
    assert.equal(await settle(master.files.wrote(other, going)), undefined)
    await scan(master, manifest, [path])
    assert.equal(manifest.get(path)?.digest, other.digest)
  },

  'gives the BLAKE2b digests of all rules, and of nothing else': async ({ master, settle }) => {
    const digestOf = (content: string): string => createHash('blake2b512').update(content).digest('hex')
    assert.deepEqual(await settle(master.files.rulesetDigests(going)), {})
    const content = { 'etc/rules/a.xml': 'a', 'etc/rules/below/b.xml': '', 'etc/rules/large': 'l'.repeat(3_000_000) }
    for (const [path, text] of Object.entries(content)) master.home.write(path, text)
    for (const path of ['etc/rules/ar.conf', 'etc/shared/default/agent.conf']) master.home.write(path, 'x')
    const wanted = Object.fromEntries(Object.entries(content).map(([path, text]) => [path, digestOf(text)]))
    assert.deepEqual(await settle(master.files.rulesetDigests(going)), wanted)
  },

  'leaves the memory around a block alone': async ({ master, settle, worker }) => {
    const content = 'content'
    master.home.write('etc/rules/a', content)
    const digest = sha256(content)
    const request = { files: [{ path: 'etc/rules/a', digest, offset: 0 }], from: { file: 0, offset: 0 }, compress: false }
    const { block } = await settle(master.files.read(request, going))
    const larger = Buffer.concat([Buffer.from('before'), block, Buffer.from('after')])
    const outcome = await settle(worker.files.stage(larger.subarray(6, 6 + block.length), [digest], going))
    assert.deepEqual([outcome.complete, outcome.failed], [[0], []])
    assert.match(larger.toString('latin1'), /^before.*after$/s)
  },

  'keeps the order of calls that are made at once': async ({ master, read, settle, worker }) => {
    const content = 'large '.repeat(500_000)
    const digest = sha256(content)
    master.home.write('etc/rules/a', content)
    const blocks: Uint8Array[] = []
    const files = [{ path: 'etc/rules/a', digest, offset: 0 }]
    for await (const block of read({ files, from: { file: 0, offset: 0 }, compress: false })) blocks.push(block)
    assert.ok(blocks.length > 10)
    const outcomes = await settle(Promise.all(blocks.map((block) => worker.files.stage(block, [digest], going))))
    assert.deepEqual(
      outcomes.flatMap((outcome) => outcome.failed),
      [],
    )
    assert.deepEqual([outcomes.at(-1)?.complete, outcomes.at(-1)?.failed], [[0], []])
  },

  'refuses an invalid block as malformed, and goes on': async ({ settle, worker }) => {
    assert.equal(await codeOf(settle(worker.files.stage(Buffer.from('no block'), ['x'], going))), 'malformed')
    assert.deepEqual(await settle(worker.files.staged([sha256('x')], going)), [0])
  },

  'does nothing more once its signal is aborted': async ({ settle, worker }) => {
    const request = { files: [], from: { file: 0, offset: 0 }, compress: false }
    worker.home.write('etc/rules/kept', 'kept')
    const calls: Promise<unknown>[] = [
      worker.files.scan(undefined, stopped),
      worker.files.read(request, stopped),
      worker.files.staged([], stopped),
      worker.files.stage(new Uint8Array(0), [], stopped),
      worker.files.apply({ writes: [], removals: ['etc/rules/kept'] }, stopped),
      worker.files.clearStage(stopped),
      worker.files.recipe('etc/rules/kept', sha256('kept'), stopped),
      worker.files.beginPatch(
        { path: 'etc/rules/kept', digest: '', size: 0, recipe: { averageBits: 10, chunks: new Uint8Array(0) } },
        stopped,
      ),
      worker.files.fillPatch(new Uint8Array(0), { digest: '', ranges: [] }, stopped),
      worker.files.finishPatch('', stopped),
    ]
    const codes = await settle(Promise.all(calls.map((call) => codeOf(call))))
    assert.deepEqual(
      codes,
      calls.map(() => 'aborted'),
    )
    assert.equal(worker.home.exists('etc/rules/kept'), true)
  },

  'fails waiting calls and every new call once it is closed': async ({ master, settle }) => {
    for (let index = 0; index < 2_000; index++) master.home.write(`etc/rules/${index}`, 'x')
    const waiting = Promise.all([1, 2, 3].map(() => codeOf(master.files.scan(undefined, going))))
    await settle(master.files.close())
    const codes = await settle(waiting)
    assert.equal(codes.at(-1), 'aborted')
    assert.equal(await codeOf(settle(master.files.scan(undefined, going))), 'aborted')
    assert.equal(await codeOf(settle(master.files.recipe('etc/rules/1', sha256('x'), going))), 'aborted')
    await settle(master.files.close())
  },
}

/**
 * Holds files to: a tree reaches another node whole, a file that changed little by a patch; edits are announced; memory around what
 * is handed over stays as it is; calls keep their order and fail with the codes of the port.
 */
export const filesCases = (suite: () => FilesSuite): readonly ComplianceCase[] =>
  casesOf<FilesPair>(
    () => Promise.resolve(new FilesPair(suite())),
    (pair) => pair.end(),
    { ...tests, ...patchTests },
  )
