/** The `<client>` of an agent's ossec.conf. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseClientConf } from '../../src/config/clientConf.js'
import { defaultAgentServer } from '../../src/domain/fleet/agentServer.js'

const packaged = `<!-- Wazuh agent --><ossec_config>
  <client>
    <server><address>10.0.0.1</address><port>1514</port><protocol>tcp</protocol></server>
    <server>
      <address>manager-2</address><protocol>udp</protocol>
      <max_retries>2</max_retries><retry_interval>3</retry_interval>
    </server>
    <config-profile>debian, debian12</config-profile>
    <notify_time>10</notify_time>
    <time-reconnect>60</time-reconnect>
    <auto_restart>yes</auto_restart>
    <crypto_method>aes</crypto_method>
    <enrollment><enabled>yes</enabled><manager_address>10.0.0.9</manager_address><groups>web,db</groups></enrollment>
  </client>
  <syscheck><directories>/etc < 3</directories><server><address>not a server</address></server></syscheck>
</ossec_config>
<ossec_config><localfile><location>/var/log/x</location></localfile></ossec_config>`

const settingsOf = (text: string) => {
  const parsed = parseClientConf(text)
  if (!parsed.ok) throw parsed.error
  return parsed.value
}

describe('the client block of an agent', () => {
  it('gives the servers in their order, the times and the enrolment', () => {
    expect(settingsOf(packaged)).toEqual({
      servers: [
        { ...defaultAgentServer, host: '10.0.0.1' },
        { host: 'manager-2', port: 1514, protocol: 'udp', maxRetries: 2, retryIntervalMs: 3_000 },
      ],
      times: { notifyMs: 10_000, reconnectMs: 60_000, receiveMsMax: 60_000, delayAfterEnrolmentMs: 20_000 },
      enrolment: { isEnabled: true, host: '10.0.0.9', port: 1515, groups: ['web', 'db'] },
      cipher: 'aes',
    })
  })

  it('takes the server elements of OSSEC, and waits three keep-alives when the reconnect time is short', () => {
    const { servers, times } = settingsOf(
      '<ossec_config><client><server-ip>1.2.3.4</server-ip><server-hostname>two</server-hostname><notify_time>90</notify_time></client></ossec_config>',
    )
    expect(servers.map(({ host }) => host)).toEqual(['1.2.3.4', 'two'])
    expect(times.reconnectMs).toBe(270_000)
  })

  it.each([
    ['<ossec_config></ossec_config>', 'names no <server>'],
    ['<ossec_config><client><server><address>a</address><port>0</port></server></client></ossec_config>', '<server><port>'],
    ['<ossec_config><client><server><address>a</address><protocol>sctp</protocol></server></client></ossec_config>', 'tcp or udp'],
    ['<ossec_config><client></server></client></ossec_config>', 'in line 1'],
  ])('refuses %s', (text, says) => {
    const parsed = parseClientConf(text)
    expect(parsed.ok ? '' : parsed.error.message).toContain(says)
  })

  it('says what it makes of any text, and never fails otherwise', () => {
    const parts = fc.constantFrom(
      '<ossec_config>',
      '<client>',
      '</client>',
      '<server>',
      '</server>',
      '<address>',
      '</address>',
      'a',
      '<',
      '<!--',
    )
    fc.assert(fc.property(fc.array(parts, { maxLength: 20 }), (text) => void parseClientConf(text.join(''))))
  })
})
