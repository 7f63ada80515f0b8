import { test } from 'uvu'
import { adapterTests } from '../helpers/adapter.ts'
import { ADAPTERS } from '../helpers/adapters.ts'

adapterTests(test, ADAPTERS.webSocket)
adapterTests(test, ADAPTERS.secureWebSocket)

test.run()
