export * from './codec/index.ts'
export * from './fsm/index.ts'
