/** Prints one line per request that ends. Run `eval "$(./fave env)"` first; it sets the variables that this program reads. */
import { connect } from 'nats';

const { NATS_URL: servers = 'nats://127.0.0.1:4222', NATS_USER: user, NATS_PASSWORD: pass } = process.env;
const connection = await connect({ servers, ...(user && pass ? { user, pass } : {}) });
process.once('SIGINT', () => void connection.drain());

const subscription = connection.subscribe('fave.requests.*.*');
await connection.flush();
console.log('waiting for results');
for await (const message of subscription) {
  const [, , request = '', event = ''] = message.subject.split('.');
  if (['completed', 'failed', 'rejected', 'cancelled'].includes(event)) console.log(`${request} ${event}`);
}
