/** The password that agents must give, as `etc/authd.pass` has it. */

/** Relative to the home. */
export const passwordPath = 'etc/authd.pass'

const charsMin = 2
/** As much of a line as wazuh-authd reads. */
const charsMax = 4_094

/**
 * The first line, one character a byte; undefined when there is no password in it that agents can give. Only the newline is taken off:
 * a carriage return belongs to the password, for agents and for Wazuh alike.
 */
export const passwordIn = (content: string): string | undefined => {
  const [line = ''] = content.split('\n')
  return line.length >= charsMin && line.length <= charsMax && !line.includes('\0') ? line : undefined
}
