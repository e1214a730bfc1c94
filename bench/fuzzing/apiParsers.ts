/** The parsers of the HTTP service: what clients write in headers and parameters. */
import { invariant } from '../../src/base/invariant.js'
import { type ApiUser, parseUsers, usersText } from '../../src/domain/api/apiUsers.js'
import { parseAuthorization, parseCookie } from '../../src/domain/api/authorization.js'
import { hostAllowList, parseHost } from '../../src/domain/api/hostAllowList.js'
import { ApiRefusal } from '../../src/domain/api/problem.js'
import { isMatch, parseQuery, queryText } from '../../src/domain/api/queryLanguage.js'
import { parseClaims } from '../../src/domain/api/tokenClaims.js'
import type { FuzzedParser } from './fuzzParser.js'

const fields = ['name', 'type', 'os.name', 'group', 'count']
const item = { name: 'worker1', type: 'worker', os: { name: 'Debian' }, group: ['default', 'web'], count: 10 }

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const examplesOf = (texts: readonly string[]) => (): readonly Uint8Array[] => texts.map((text) => Buffer.from(text))

/** What is parsed means the same when it is written again. */
const query = (bytes: Uint8Array): string => {
  try {
    const clause = parseQuery(textOf(bytes), fields)
    const again = parseQuery(queryText(clause), fields)
    invariant(isMatch(again, item) === isMatch(clause, item), 'a query can be written and read')
    return 'taken'
  } catch (thrown) {
    if (!(thrown instanceof ApiRefusal)) throw thrown
    return `refused (${thrown.problem.number})`
  }
}

const authorization = (bytes: Uint8Array): string => {
  const parsed = parseAuthorization(textOf(bytes))
  invariant(parsed !== undefined, 'a header is something')
  if (parsed.kind === 'basic') {
    const again = parseAuthorization(`Basic ${Buffer.from(`${parsed.user}:${parsed.password}`).toString('base64')}`)
    invariant(
      again?.kind === 'basic' && again.user === parsed.user && again.password === parsed.password,
      'a login can be written and read',
    )
  }
  return parsed.kind
}

const isAllowed = hostAllowList({ hosts: ['node.example', '10.0.0.7'], port: 55_000, scheme: 'https' })
const allowed = ['node.example', '10.0.0.7', 'localhost', '127.0.0.1', '::1']

const host = (bytes: Uint8Array): string => {
  const text = textOf(bytes)
  if (!isAllowed(text)) return 'refused'
  const name = parseHost(text)?.name ?? ''
  invariant(allowed.includes(name) || name.includes(':'), 'a host that is allowed is one of ours')
  return 'taken'
}

const user: ApiUser = { name: 'alice', role: 'read', password: `scrypt$15$8$1$${'s'.repeat(22)}$${'h'.repeat(43)}` }

export const apiParsers: readonly FuzzedParser[] = [
  {
    name: 'API: query (q)',
    examples: examplesOf([
      'name=worker1',
      'type=worker;count>9',
      '(name~w,name!=x);(os.name=Debian,group=web)',
      'count=null',
      '((((name=x))))',
    ]),
    parse: query,
  },
  {
    name: 'API: Authorization',
    examples: examplesOf([`Basic ${btoa('alice:correct horse')}`, `Basic ${btoa('bob::')}`, 'Bearer abc.def-_.ghi', 'bearer a.b.c']),
    parse: authorization,
  },
  {
    name: 'API: Cookie',
    examples: examplesOf(['__Host-muster=abc_-123; other=1', 'a=b;c=d; __Host-muster=x', '__Host-muster=1; __Host-muster=2']),
    parse: (bytes) => {
      const value = parseCookie(textOf(bytes), '__Host-muster')
      invariant(value === undefined || !value.includes(';'), 'a cookie is one part of its header')
      return value === undefined ? 'refused' : 'taken'
    },
  },
  { name: 'API: Host', examples: examplesOf(['node.example:55000', '[::1]:55000', 'LOCALHOST.:55000', '10.0.0.7:55000']), parse: host },
  {
    name: 'API: users',
    examples: () => [Buffer.from(usersText([user, { ...user, name: 'bob', role: 'admin' }])), Buffer.from(usersText([]))],
    parse: (bytes) => {
      const parsed = parseUsers(textOf(bytes))
      if (!parsed.ok) return 'refused'
      invariant(parseUsers(usersText(parsed.value)).ok, 'users can be written and read')
      return 'taken'
    },
  },
  {
    name: 'API: claims of a token',
    examples: () => [
      Buffer.from(
        JSON.stringify({
          ...{
            iss: 'wazuh',
            aud: 'Wazuh API REST',
            nbf: 1,
            exp: 901,
            sub: 'alice',
            run_as: false,
            rbac_roles: ['read'],
            rbac_mode: 'white',
          },
          ...{ jti: 1, fingerprint: 'abc' },
        }),
      ),
    ],
    parse: (bytes) => (parseClaims(bytes) ? 'taken' : 'refused'),
  },
]
