import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseOssecConf } from '../../../src/config/ossec/ossecConf.js'

/** Text that earlier readers read again and again, or failed on. */
const fragments = [
  ...[
    '<',
    '<a',
    '<a ',
    '< ',
    '</',
    '<a "',
    "<a '",
    '<a="',
    '<?',
    '?>',
    '<!--',
    '-->',
    '\\<',
    '&',
    '&amp;',
    '"',
    "'",
    '\n',
    ' ',
    'a',
    '/',
    '>',
  ],
  ...['<auth>', '</auth>', '<auth a="', '<remote a=b c = "d" ', "<remote e='", ' a', 'a="b"'],
  ...['<ossec_config>', '</ossec_config>', '<cluster>', '</cluster>', '<cluster/>', '<cluster></cluster>', '<global>', '</global>', '<x>'],
]

/** Characters read in a text of `times` repetitions, for each character of it. */
const effortPerChar = (before: string, repeated: string, times: number): number => {
  const text = before + repeated.repeat(times)
  const effort = { chars: 0 }
  parseOssecConf(text, 'agents_disconnection_time', effort)
  return effort.chars / text.length
}

describe('reading ossec.conf', () => {
  it('reads each character a few times at most, whatever is repeated', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(
          '',
          '<ossec_config>',
          '<ossec_config><cluster>',
          '<ossec_config><auth>',
          '<ossec_config><global>',
          '<ossec_config><x>',
        ),
        fc.array(fc.constantFrom(...fragments), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
        fc.constantFrom(10, 100, 1_000, 10_000),
        (before, repeated, times) => {
          expect(effortPerChar(before, repeated, times)).toBeLessThanOrEqual(6)
        },
      ),
      { numRuns: 300 },
    ))

  it('finds the same blocks whatever other programs write before them', () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('&', '"', "'", 'a', ' ', '\\<', '<?x?>', '<!-- <cluster> -->', '<x"', '<y/>', '</z>')),
        (parts) => {
          const cluster = '<cluster><name>a&amp;b&c</name><nodes><node>m</node></nodes></cluster>'
          const parsed = parseOssecConf(`<ossec_config><other>${parts.join('')}</other>${cluster}</ossec_config>`, 'x')
          expect(parsed).toMatchObject({
            ok: true,
            blocks: {
              cluster: [
                [
                  { name: 'name', text: 'a&b&c', children: [] },
                  { name: 'nodes', text: undefined, children: [{ name: 'node', text: 'm' }] },
                ],
              ],
            },
          })
        },
      ),
    ))
})
