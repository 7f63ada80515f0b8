# paho for Python as a client under test: one client a process, orders and news as lines of JSON. It runs paho's loop by itself, so that nothing connects
# again by itself, and a killed process is a broken connection.
import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCodes
from paho.mqtt.subscribeoptions import SubscribeOptions

NAMES = {
    'sessionExpiryInterval': 'SessionExpiryInterval', 'receiveMaximum': 'ReceiveMaximum', 'maximumPacketSize': 'MaximumPacketSize', 'topicAliasMaximum': 'TopicAliasMaximum',
    'requestProblemInformation': 'RequestProblemInformation', 'messageExpiryInterval': 'MessageExpiryInterval', 'topicAlias': 'TopicAlias', 'contentType': 'ContentType',
    'responseTopic': 'ResponseTopic', 'correlationData': 'CorrelationData', 'payloadFormatIndicator': 'PayloadFormatIndicator', 'userProperties': 'UserProperty',
    'subscriptionIdentifier': 'SubscriptionIdentifier', 'willDelayInterval': 'WillDelayInterval', 'assignedClientIdentifier': 'AssignedClientIdentifier',
}


def say(**news):
    sys.stdout.write(json.dumps(news) + '\n')
    sys.stdout.flush()


def properties_of(kind, given):
    if not given:
        return None
    made = Properties(kind)
    for name, value in given.items():
        if name == 'userProperties':
            for pair in value:
                made.UserProperty = tuple(pair)
        elif name == 'correlationData':
            made.CorrelationData = bytes.fromhex(value)
        else:
            setattr(made, NAMES[name], int(value) if isinstance(value, bool) else value)
    return made


def plain(properties):
    found = {}
    for name, theirs in NAMES.items():
        if properties is not None and hasattr(properties, theirs):
            value = getattr(properties, theirs)
            found[name] = value.hex() if isinstance(value, bytes) else value
    # It has one list for as many as there are.
    if 'subscriptionIdentifier' in found:
        found['subscriptionIdentifiers'] = found.pop('subscriptionIdentifier')
    return found


def code_of(value):
    return value.value if hasattr(value, 'value') else int(value)


orders = queue.Queue()
client = None
five = False


def read_orders():
    for line in sys.stdin:
        orders.put(json.loads(line))
    orders.put({'op': 'exit'})


def connect(order):
    global client, five
    five = order['version'] == 5
    protocol = {3: mqtt.MQTTv31, 4: mqtt.MQTTv311, 5: mqtt.MQTTv5}[order['version']]
    how = {} if five else {'clean_session': order['cleanStart']}
    client = mqtt.Client(client_id=order['clientId'], protocol=protocol, transport='websockets' if order.get('ws') else 'tcp', **how)
    if order.get('username') is not None:
        client.username_pw_set(order['username'], order['password'])
    if order.get('ca'):
        client.tls_set(order['ca'])
    will = order.get('will')
    if will:
        client.will_set(will['topic'], will['payload'], will.get('qos', 0), will.get('retain', False), properties=properties_of(PacketTypes.WILLMESSAGE, will.get('properties')))
    client.on_connect = lambda c, u, flags, code, properties=None: say(news='connack', code=code_of(code), present=bool(flags['session present']), properties=plain(properties))
    client.on_disconnect = lambda c, u, code, properties=None: say(news='gone', code=code_of(code))
    client.on_message = lambda c, u, m: say(news='message', topic=m.topic, payload=m.payload.decode(), qos=m.qos, retain=bool(m.retain), properties=plain(getattr(m, 'properties', None)))
    client.on_subscribe = lambda c, u, mid, codes, properties=None: say(news='answer', mid=mid, codes=[code_of(code) for code in codes])
    client.on_unsubscribe = lambda c, u, mid, properties=None, codes=None: say(news='answer', mid=mid, codes=[code_of(code) for code in (codes if isinstance(codes, list) else [codes] if codes else [])])
    # Its version for 5.0 does not tell the Reason Code of PUBACK.
    client.on_publish = lambda c, u, mid: say(news='answer', mid=mid, codes=[])
    more = {'clean_start': order['cleanStart'], 'properties': properties_of(PacketTypes.CONNECT, order.get('properties'))} if five else {}
    client.connect(order['host'], order['port'], order['keepAlive'], **more)


def obey(order):
    op = order['op']
    if op == 'connect':
        connect(order)
    elif op == 'again':
        if five:
            client._clean_start = False
        client.reconnect()
    elif op == 'subscribe':
        filters = order['subscriptions']
        if five:
            asked = [(one['filter'], SubscribeOptions(one['qos'], one.get('noLocal', False), one.get('retainAsPublished', False), one.get('retainHandling', 0))) for one in filters]
            _, mid = client.subscribe(asked, properties=properties_of(PacketTypes.SUBSCRIBE, order.get('properties')))
        else:
            _, mid = client.subscribe([(one['filter'], one['qos']) for one in filters])
        say(news='asked', order=order['n'], mid=mid)
    elif op == 'unsubscribe':
        say(news='asked', order=order['n'], mid=client.unsubscribe(order['filters'])[1])
    elif op == 'publish':
        more = {'properties': properties_of(PacketTypes.PUBLISH, order.get('properties'))} if five else {}
        say(news='asked', order=order['n'], mid=client.publish(order['topic'], order['payload'], order['qos'], order['retain'], **more).mid)
    elif op == 'disconnect':
        client.disconnect(**({'reasoncode': ReasonCodes(PacketTypes.DISCONNECT, identifier=order['reasonCode'])} if order.get('reasonCode') else {}))
    elif op == 'exit':
        sys.exit(0)


if __name__ == '__main__':
    threading.Thread(target=read_orders, daemon=True).start()
    while True:
        try:
            wait = client is None or client.socket() is None
            obey(orders.get(timeout=1 if wait else 0.001))
            continue
        except queue.Empty:
            pass
        except SystemExit:
            raise
        except Exception as error:
            say(news='error', message='%s: %s' % (type(error).__name__, error))
        if client is not None and client.socket() is not None:
            client.loop(0.01)
