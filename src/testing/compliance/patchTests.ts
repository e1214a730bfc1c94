/** What the Files port must do with a file that changed little: recipe, patch, and the refusals of both. */
import assert from 'node:assert/strict'
import { codeOf } from './complianceCase.js'
import { type FilesPair, going, sha256 } from './filesPair.js'

const path = 'etc/rules/large'
const before = Array.from({ length: 20_000 }, (_, line) => `${line} ${sha256(`${line}`)}`)
const after = before.with(10_000, 'changed').join('\n')
const digest = sha256(after)

export const patchTests: Readonly<Record<string, (pair: FilesPair) => Promise<void>>> = {
  'a patch brings what is missing of a file that changed little, and no more': async ({ master, read, settle, sync, worker }) => {
    master.home.write(path, after)
    worker.home.write(path, before.join('\n'))
    const recipe = await settle(master.files.recipe(path, digest, going))
    assert.deepEqual(await settle(master.files.recipe(path, digest, going)), recipe)
    const ranges = await settle(worker.files.beginPatch({ path, digest, size: after.length, recipe }, going))
    assert.ok(ranges && ranges.length > 0)
    const files = ranges.map(({ end, start }) => ({ path, digest, offset: start, end }))
    let sent = recipe.chunks.length
    for await (const block of read({ files, from: { file: 0, offset: files[0]?.offset ?? 0 }, compress: true })) {
      sent += block.length
      await settle(worker.files.fillPatch(block, { digest, ranges }, going))
    }
    assert.ok(sent < after.length / 50)
    assert.deepEqual(await settle(worker.files.staged([digest], going)), [0])
    await settle(worker.files.finishPatch(digest, going))
    assert.deepEqual(await settle(worker.files.staged([digest], going)), [after.length])
    await sync(false)
    assert.equal(worker.home.read(path), after)
  },

  'a patch leaves the memory around a block and a recipe alone': async ({ master, settle, worker }) => {
    master.home.write(path, after)
    worker.home.write(path, before.join('\n'))
    const { averageBits, chunks } = await settle(master.files.recipe(path, digest, going))
    const large = Buffer.concat([Buffer.from('before'), chunks, Buffer.from('after')])
    const recipe = { averageBits, chunks: large.subarray(6, 6 + chunks.length) }
    const ranges = (await settle(worker.files.beginPatch({ path, digest, size: after.length, recipe }, going))) ?? []
    const offset = ranges[0]?.start ?? 0
    const request = { files: [{ path, digest, offset, end: ranges[0]?.end ?? 0 }], from: { file: 0, offset }, compress: false }
    const { block } = await settle(master.files.read(request, going))
    const larger = Buffer.concat([Buffer.from('before'), block, Buffer.from('after'.padStart(20))])
    await settle(worker.files.fillPatch(larger.subarray(6, 6 + block.length), { digest, ranges }, going))
    await settle(worker.files.finishPatch(digest, going))
    for (const memory of [large, larger]) assert.match(memory.toString('latin1'), /^before.*after$/s)
  },

  'a patch fails with the same codes, and is of no use for other content': async ({ master, settle, worker }) => {
    master.home.write(path, after)
    worker.home.write(path, 'x'.repeat(after.length))
    const recipe = await settle(master.files.recipe(path, digest, going))
    const start = { path, digest, size: after.length, recipe }
    assert.equal(await settle(worker.files.beginPatch(start, going)), undefined)
    const codes = [
      master.files.recipe(path, sha256('other'), going),
      master.files.recipe('etc/rules/none', digest, going),
      master.files.recipe('../etc/passwd', digest, going),
      worker.files.beginPatch({ ...start, size: 1 }, going),
      worker.files.beginPatch({ ...start, path: 'etc/rules/none' }, going),
      worker.files.fillPatch(Buffer.from('no block'), { digest, ranges: [] }, going),
      worker.files.finishPatch(digest, going),
    ].map((call) => codeOf(call))
    assert.deepEqual(await settle(Promise.all(codes)), [
      'digestMismatch',
      'fileGone',
      'pathRefused',
      'malformed',
      'fileFailed',
      'malformed',
      'fileFailed',
    ])
  },
}
