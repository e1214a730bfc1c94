/** The facts of an agent as one text: nothing is lost by packing and unpacking, and what breaks a rule is noticed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { type AgentFacts, agentFactNames } from '../../../src/domain/agents/agent.js'
import { areSoundFacts, packFacts, siftFacts, unpackFacts } from '../../../src/domain/agents/packedFacts.js'

const units = fc.constantFrom('a', 'Ü', '\u{1F600}', '"', '\n', '\t', '\u0000', '\u001b', '\u007F', '\u0085', '\uD800', '\uDC00')
const texts = fc.array(units, { maxLength: 4 }).map((chosen) => chosen.join(''))
const plainTexts = texts.filter((text) => !text.includes('\u007F'))
const factsOf = (text: fc.Arbitrary<string>): fc.Arbitrary<AgentFacts> =>
  fc.record({
    ...{ ip: text, version: text, osName: text, osVersion: text, osPlatform: text },
    ...{ osArch: text, osUname: text, configSum: text, mergedSum: text, labels: text },
  })

/** The rule, fact by fact. */
const isSound = (facts: AgentFacts): boolean =>
  agentFactNames.every((name) => {
    const text = name === 'labels' ? facts[name].replaceAll(/[\n\t]/g, '') : facts[name]
    return !/[\p{Cc}\p{Cs}]/u.test(text)
  })

describe('packed facts', () => {
  it('are the facts that were packed', () => {
    fc.assert(fc.property(factsOf(plainTexts), (facts) => void expect(unpackFacts(packFacts(facts))).toEqual(facts)))
  })

  it('are sound exactly when each fact is', () => {
    const some = fc.oneof(factsOf(fc.constantFrom('', 'a', 'Ü\u{1F600}')), factsOf(texts))
    const broken = fc
      .tuple(some, fc.constantFrom(...agentFactNames), texts)
      .map(([facts, name, text]): AgentFacts => ({ ...facts, [name]: text }))
    fc.assert(fc.property(broken, (facts) => void expect(areSoundFacts(packFacts(facts))).toBe(isSound(facts))))
  })

  it.each(agentFactNames)('are sound up to the length that a fact may have: %s', (name) => {
    const most = name === 'labels' ? limits.agentLabelsCharsMax : limits.agentFactCharsMax
    const none = unpackFacts('')
    expect(areSoundFacts(packFacts({ ...none, [name]: 'x'.repeat(most) }))).toBe(true)
    expect(areSoundFacts(packFacts({ ...none, [name]: 'x'.repeat(most + 1) }))).toBe(false)
  })

  it('are not sound when there are too few', () => {
    expect(areSoundFacts('')).toBe(false)
    expect(areSoundFacts(packFacts(unpackFacts('')).slice(1))).toBe(false)
  })
})

describe('what an agent says of itself', () => {
  it('is taken fact by fact: those that break a rule are left out and named, the others stay as they are', () => {
    const none = unpackFacts('')
    const some = fc.oneof(texts, fc.constantFrom('x'.repeat(limits.agentFactCharsMax), 'x'.repeat(limits.agentFactCharsMax + 1)))
    const said = fc.record(Object.fromEntries(agentFactNames.map((name) => [name, some])), { requiredKeys: [] })
    fc.assert(
      fc.property(said, (facts) => {
        const { packed, refused } = siftFacts(facts)
        expect(areSoundFacts(packed)).toBe(true)
        const sound = agentFactNames.filter((name) => areSoundFacts(packFacts({ ...none, [name]: facts[name] ?? '' })))
        expect(refused.map(({ fact }) => fact)).toEqual(agentFactNames.filter((name) => !sound.includes(name)))
        expect(unpackFacts(packed)).toEqual({ ...none, ...Object.fromEntries(sound.map((name) => [name, facts[name] ?? ''])) })
      }),
    )
  })

  it('is refused with what is wrong', () => {
    const { packed, refused } = siftFacts({ version: 'v4', osName: 'a\nb', labels: 'x'.repeat(limits.agentLabelsCharsMax + 1) })
    expect(unpackFacts(packed)).toMatchObject({ version: 'v4', osName: '', labels: '' })
    expect(refused).toEqual([
      { fact: 'osName', why: 'has a character that is not allowed' },
      { fact: 'labels', why: 'has 16385 characters, the limit is 16384' },
    ])
  })
})
