export { msgpackCodec } from '@fusewire/protocol/msgpack'
