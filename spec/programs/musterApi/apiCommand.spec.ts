/** muster-api: users in their file, whole or not at all, and a sentence for each mistake; a password is shown nowhere. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPasswordOf } from '../../../src/platform/api/passwordHash.js'
import { UserFile } from '../../../src/platform/api/userFile.js'
import { runMusterApi } from '../../../src/programs/musterApi/apiCommand.js'
import { ranProgram } from '../ranProgram.js'

const password = 'correct horse battery'
let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-api-'))
  mkdirSync(join(home, 'etc'))
})
afterAll(() => rmSync(home, { recursive: true }))

const file = (): string => join(home, 'etc/muster-api-users.json')

const run = (words: readonly string[], stdin?: Readable) => ranProgram(runMusterApi, ['--home', home, ...words], {}, stdin)

/** A terminal at which somebody types these lines. */
const terminal = (...lines: readonly string[]) => {
  const stdin = new PassThrough()
  const modes: boolean[] = []
  let at = 0
  const type = (isRaw: boolean): void => {
    modes.push(isRaw)
    if (isRaw) stdin.write(`${lines[at++] ?? '\x03'}`)
  }
  return { stdin: Object.assign(stdin, { isTTY: true, setRawMode: type }), modes }
}

describe('muster-api', () => {
  it('adds a user whose password proves it, in a file of mode 0640 that holds no password', async () => {
    expect(await run(['user', 'add', 'alice', '--role', 'admin'], Readable.from([`${password}\r\nmore\n`]))).toEqual({
      code: 0,
      out: "The user 'alice' (admin) was added.\n",
      err: '',
    })
    expect(statSync(file()).mode & 0o777).toBe(0o640)
    expect(readFileSync(file(), 'utf8')).not.toContain('horse')
    const [alice] = await new UserFile(home).users()
    expect([await isPasswordOf(password, alice?.password ?? ''), await isPasswordOf(`${password}!`, alice?.password ?? '')]).toEqual([
      true,
      false,
    ])
    expect(readdirSync(join(home, 'etc'))).toEqual(['muster-api-users.json'])
  })

  it('asks twice at a terminal without showing what is typed, and takes the password of a file', async () => {
    const { modes, stdin } = terminal(`corrext\x7f\x7f\x7fect horse battery\r`, `${password}\r`)
    expect(await run(['user', 'add', 'bob'], stdin)).toEqual({
      code: 0,
      out: "The user 'bob' (read) was added.\n",
      err: 'Password: \nPassword again: \n',
    })
    expect(modes).toEqual([true, false, true, false])
    expect(await run(['user', 'add', 'carol'], terminal(`${password}\r`, 'another password\r').stdin)).toMatchObject({
      code: 1,
      err: expect.stringContaining('The two passwords are not the same'),
    })
    expect(await run(['user', 'add', 'carol'], terminal('\x03').stdin)).toMatchObject({
      code: 1,
      err: expect.stringContaining('No password was given'),
    })
    writeFileSync(join(home, 'secret'), 'another password\n')
    expect(await run(['user', 'password', 'bob', '--password-file', join(home, 'secret')])).toMatchObject({
      code: 0,
      out: "The password of 'bob' was changed.\n",
    })
    const [, bob] = await new UserFile(home).users()
    expect(await isPasswordOf('another password', bob?.password ?? '')).toBe(true)
  })

  it('lists and removes users', async () => {
    expect((await run(['user', 'list'])).out).toBe('alice  admin\nbob    read\n')
    expect(JSON.parse((await run(['user', 'list', '--json'])).out)).toEqual({
      items: [
        { name: 'alice', role: 'admin' },
        { name: 'bob', role: 'read' },
      ],
      total: 2,
    })
    expect((await run(['user', 'remove', 'bob'])).out).toBe("The user 'bob' was removed.\n")
    expect((await run(['user', 'list'])).out).toBe('alice  admin\n')
  })

  it('says what is wrong in one sentence, and changes nothing then', async () => {
    const before = readFileSync(file(), 'utf8')
    const mistakes: readonly (readonly [readonly string[], string, string?])[] = [
      [['user', 'add', 'alice'], "There is a user 'alice' already"],
      [['user', 'add', 'al ice'], "'al ice' is not a user's name: must be 1 to 64 letters"],
      [['user', 'add', 'dave'], 'The password is not valid: must be 12 to 256 characters on one line', 'short\n'],
      [['user', 'add'], 'user add takes the name of the user'],
      [['user', 'grow', 'x'], 'user grow: must be add, list, remove or password'],
      [['group', 'add'], "'group' is not one of user"],
      [['user', 'remove', 'nobody'], "There is no user 'nobody' in etc/muster-api-users.json"],
      [['user', 'add', 'dave', '--role', 'root'], 'read, admin'],
      [['user', 'password', 'alice', '--password-file', '/nowhere'], '/nowhere cannot be read'],
    ]
    for (const [words, says, input = ''] of mistakes)
      expect(await run(words, Readable.from([input]))).toMatchObject({ code: 1, out: '', err: expect.stringContaining(says) })
    expect(readFileSync(file(), 'utf8')).toBe(before)
    writeFileSync(file(), '{"users":[{"name":"x"}]}')
    expect(await run(['user', 'list'])).toMatchObject({ code: 1, err: expect.stringContaining('is not one that muster-api writes') })
  })
})
