import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConnackInput, PublishInput } from '../../src/codec/index.ts'
import { DEFAULT_TERMS, aliasFault, NO_FLOW, peerTerms, sendQuota, termsFault, termsOfConnack, termsOfConnect } from '../../src/fsm/flow.ts'
import type { Agreement, SendInput } from '../../src/fsm/index.ts'
import { setId } from '../../src/fsm/packet-ids.ts'
import type { IdMap } from '../../src/fsm/packet-ids.ts'
import { NO_EXCHANGES } from '../../src/fsm/session.ts'
import type { Exchange, Exchanges } from '../../src/fsm/session.ts'
import { connected, deepFreeze, received, refused, step, told, violates } from './helpers.ts'
import { ask, publish, SUBSCRIBE } from './talk.ts'

const NOTHING = deepFreeze({
  receiveMaximum: 65_535, maximumPacketSize: undefined, topicAliasMaximum: 0, problemInformation: true, responseInformation: false,
  maximumQos: 2, retain: true, wildcards: true, sharedSubscriptions: true, subscriptionIdentifiers: true,
} as const)

/** An agreement with these terms of the Server; what else is in it does not matter here. */
function agreement(properties: ConnackInput['properties']): Agreement {
  return connected('client', 5, { connack: { properties } }).agreement
}

function exchangesOf(count: number): Exchanges {
  const one: Exchange = { awaits: 'puback', turn: 0, message: undefined, waits: false, filters: 0, token: undefined }
  let ours: IdMap<Exchange>
  for (let id = 1; id <= count; id++) ours = setId(ours, id, one)
  return { ...NO_EXCHANGES, ours }
}

const subscribe = (filter: string, subscriptionIdentifier?: number): SendInput =>
  ({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'plain', qos: 2 }, { filter, qos: 2 }], properties: { subscriptionIdentifier } })

test('who announces nothing can take everything but Topic Aliases, and all such connections share one value', () => {
  assert.equal(DEFAULT_TERMS, { client: NOTHING, server: NOTHING })
  assert.is(termsOfConnect(undefined), DEFAULT_TERMS)
  assert.is(termsOfConnack(DEFAULT_TERMS, undefined), DEFAULT_TERMS)
  assert.equal(termsOfConnect({}), DEFAULT_TERMS)
  assert.equal(termsOfConnack(DEFAULT_TERMS, {}), DEFAULT_TERMS)
})

test('CONNECT says what the Client can take, CONNACK what the Server can', () => {
  const asked = { receiveMaximum: 7, maximumPacketSize: 99, topicAliasMaximum: 3, requestProblemInformation: false, requestResponseInformation: true } as const
  const client = { ...NOTHING, receiveMaximum: 7, maximumPacketSize: 99, topicAliasMaximum: 3, problemInformation: false, responseInformation: true }
  assert.equal(termsOfConnect(asked), { client, server: NOTHING })
  const answer = {
    receiveMaximum: 8, maximumPacketSize: 100, topicAliasMaximum: 4, maximumQos: 0, retainAvailable: false,
    wildcardSubscriptionAvailable: false, sharedSubscriptionAvailable: false, subscriptionIdentifiersAvailable: false,
  } as const
  const server = { ...NOTHING, receiveMaximum: 8, maximumPacketSize: 100, topicAliasMaximum: 4, maximumQos: 0, retain: false, wildcards: false, sharedSubscriptions: false, subscriptionIdentifiers: false }
  assert.equal(termsOfConnack(termsOfConnect(asked), answer), { client, server })
  for (const role of ['client', 'server'] as const) {
    const state = connected(role, 5, { connect: { properties: asked }, connack: { properties: answer } })
    assert.equal(state.agreement.terms, { client, server })
    assert.equal(peerTerms(role, state.agreement), role === 'client' ? server : client)
  }
})

test('MQTT-4.9.0-1 (5.0): the send quota begins at Receive Maximum; what is unfinished counts, requests and what still waits do not', () => {
  assert.is(sendQuota(3, NO_EXCHANGES, NO_FLOW), 3)
  assert.is(sendQuota(65_535, NO_EXCHANGES, NO_FLOW), 65_535)
  assert.is(sendQuota(3, exchangesOf(3), NO_FLOW), 0)
  assert.is(sendQuota(3, exchangesOf(3), { ...NO_FLOW, requests: 1 }), 1)
  assert.is(sendQuota(3, exchangesOf(9), { ...NO_FLOW, requests: 2, waiting: 5 }), 1)
})

test('MQTT-3.2.2-11 (5.0): no PUBLISH of the Client above Maximum QoS, neither sent nor taken', () => {
  for (const maximumQos of [0, 1] as const) {
    const made = { connack: { properties: { maximumQos } } }
    for (const qos of [0, 1, 2] as const) {
      const packet = publish(qos, qos === 0 ? undefined : 1)
      assert.is(termsFault('client', packet, agreement({ maximumQos })), qos > maximumQos ? 'maximumQos' : undefined)
      if (qos > maximumQos) {
        refused(connected('client', 5, made), packet, 'MQTT-3.2.2-11')
        violates(connected('server', 5, made), received(packet, 5), 'MQTT-3.2.2-11', 'e0 01 9b')
      } else {
        assert.equal(told(step(connected('client', 5, made), ask(packet)).effects), ['write publish'])
        assert.equal(told(step(connected('server', 5, made), received(packet, 5)).effects), ['deliver'])
      }
    }
    assert.is(termsFault('client', { type: 'publish', topic: 'a', payload: '' }, agreement({ maximumQos })), undefined)
  }
})

test('MQTT-3.2.2-9 (5.0), MQTT-3.2.2-10 (5.0): a Server says Maximum QoS in CONNACK, and takes a SUBSCRIBE of any QoS all the same', () => {
  for (const qos of [0, 1, 2] as const) {
    const made = { connack: { properties: { maximumQos: 0 } } } as const
    const packet = { type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'a', qos }] } as const
    assert.equal(told(step(connected('server', 5, made), received(packet, 5)).effects), ['deliver'])
    assert.equal(told(step(connected('client', 5, made), ask(packet)).effects), ['write subscribe'])
  }
})

test('MQTT-3.2.2-14 (5.0): no RETAIN of the Client where it is not available; a Server\'s own is another matter', () => {
  const made = { connack: { properties: { retainAvailable: false } } }
  const packet = publish(0, undefined, { retain: true })
  refused(connected('client', 5, made), packet, 'MQTT-3.2.2-14')
  violates(connected('server', 5, made), received(packet, 5), 'MQTT-3.2.2-14', 'e0 01 9a')
  assert.equal(told(step(connected('server', 5, made), ask(packet)).effects), ['write publish'])
  assert.equal(told(step(connected('client', 5, made), received(packet, 5)).effects), ['deliver'])
  for (const retain of [false, undefined]) assert.is(termsFault('client', { ...packet, retain }, agreement({ retainAvailable: false })), undefined)
})

test('wildcards, shared subscriptions and Subscription Identifiers: only where CONNACK leaves them available, with the code for it', () => {
  const rows = [
    ['wildcardSubscriptionAvailable', subscribe('a/+'), '5.0 §3.2.2.3.11', 'a2'],
    ['wildcardSubscriptionAvailable', subscribe('#'), '5.0 §3.2.2.3.11', 'a2'],
    ['sharedSubscriptionAvailable', subscribe('$share/g/a'), '5.0 §3.2.2.3.13', '9e'],
    ['subscriptionIdentifiersAvailable', subscribe('a', 1), '5.0 §3.2.2.3.12', 'a1'],
  ] as const
  for (const [name, packet, rule, code] of rows) {
    const made = { connack: { properties: { [name]: false } } }
    refused(connected('client', 5, made), packet as never, rule)
    violates(connected('server', 5, made), received(packet as never, 5), rule, `e0 01 ${code}`)
    assert.is(termsFault('client', packet, agreement(undefined)), undefined)
    assert.is(termsFault('client', packet, agreement({ [name]: true })), undefined)
    assert.is(termsFault('client', subscribe('a'), agreement({ [name]: false })), undefined)
    assert.is(termsFault('client', { type: 'unsubscribe', filters: ['#'] }, agreement({ [name]: false })), undefined)
  }
  assert.is(termsFault('client', SUBSCRIBE, agreement({ maximumQos: 1 })), undefined)
})

test('what CONNACK leaves out binds the Client; a Server is bound by none of it', () => {
  const terms = agreement({ maximumQos: 0, retainAvailable: false })
  assert.is(termsFault('server', publish(2, 1, { retain: true }), terms), undefined)
})

test('MQTT-3.2.2-17 (5.0), MQTT-3.2.2-18 (5.0), MQTT-3.1.2-26 (5.0), MQTT-3.1.2-27 (5.0): a Topic Alias is within what the other side has announced, 0 unless it says so', () => {
  const known = setId<string>(undefined, 3, 'a')
  for (const sender of ['client', 'server'] as const) {
    const rule = sender === 'client' ? 'topicAliasOfClient' : 'topicAliasOfServer'
    const terms = sender === 'client' ? { connack: { properties: { topicAliasMaximum: 3 } } } : { connect: { properties: { topicAliasMaximum: 3 } } }
    const agreed = connected('client', 5, terms).agreement
    assert.is(aliasFault(sender, 'a', 3, agreed, undefined), undefined)
    assert.is(aliasFault(sender, 'a', 4, agreed, undefined), rule)
    assert.is(aliasFault(sender, '', 3, agreed, known), undefined)
    assert.is(aliasFault(sender, '', 2, agreed, known), 'topicAliasUnknown')
    assert.is(aliasFault(sender, 'a', 1, connected('client', 5).agreement, undefined), rule)
    assert.is(aliasFault(sender === 'client' ? 'server' : 'client', 'a', 1, agreed, undefined), rule === 'topicAliasOfClient' ? 'topicAliasOfServer' : 'topicAliasOfClient')
  }
})

test('nothing is in use on a new connection, and all such connections share one value', () => {
  assert.is(connected('client', 5).flow, NO_FLOW)
  assert.is(connected('server', 4).flow, NO_FLOW)
  assert.ok(Object.isFrozen(NO_FLOW) && Object.isFrozen(NO_FLOW.resend))
  const packet: PublishInput = publish(0)
  assert.is((step(connected('client', 4), ask(packet)).state as { flow: unknown }).flow, NO_FLOW)
})

test.run()
