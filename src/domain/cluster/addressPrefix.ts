/** What counts as one address when connections are counted: an IPv4 address, or the /64 of an IPv6 address, which one host has whole. */

const groupsMax = 8
const groupsOfPrefix = 4

const groupsOf = (text: string): readonly number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))

/** The last two groups may be written as an IPv4 address. */
const withoutDots = (address: string): string =>
  address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })

/** The eight numbers of an IPv6 address; undefined for what is not one. */
export const ipv6Groups = (address: string): readonly number[] | undefined => {
  const [head = '', tail, ...more] = withoutDots(address).split('::')
  const first = groupsOf(head)
  const last = groupsOf(tail ?? '')
  const missing = groupsMax - first.length - last.length
  if (more.length > 0 || (tail === undefined ? missing !== 0 : missing < 0)) return undefined
  const groups = [...first, ...Array.from({ length: missing }, () => 0), ...last]
  return groups.some(Number.isNaN) ? undefined : groups
}

/** Of an address as a socket names it. An IPv6 address that maps an IPv4 one is that one; what is no address is itself. */
export const addressPrefix = (address: string): string => {
  if (!address.includes(':')) return address
  const [plain = ''] = address.split('%')
  const groups = ipv6Groups(plain)
  if (!groups) return address
  const [high = 0, low = 0] = groups.slice(-2)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`
  const prefix = groups.slice(0, groupsOfPrefix).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}
