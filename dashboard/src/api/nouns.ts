// The server's nouns under short names.
import type { Schemas } from './client';

export type Job = Schemas['Job'];
export type State = Job['state'];
export type Artifact = Schemas['Artifact'];
export type Attempt = Schemas['Attempt'];
export type Batch = Schemas['Batch'];
export type Counts = Schemas['Counts'];
export type Queue = Schemas['Queue'];
export type Worker = Schemas['Worker'];
export type System = Schemas['System'];
export type Stage = Schemas['renderkiln__api__routes__history__Stage'];
export type Me = Schemas['Me'];
export type Key = Schemas['Key'];
export type Estimate = Schemas['Estimate'];
export type Project = Schemas['Project'];
export type Scene = Schemas['Scene'];
export type Whole = Schemas['Whole'];
export type Template = Schemas['Template'];
export type Voice = Schemas['Voice'];
export type Asset = Schemas['Asset'];
export type Webhook = Schemas['Webhook'];
export type Delivery = Schemas['Delivery'];
export type Handling = Schemas['Handling'];
export type Spent = Schemas['Spent'];
export type Spending = Schemas['Spending'];

/** An event as the stream tells it. */
export interface Happening {
  id: number;
  type: string;
  timestamp: string;
  jobId: string | null;
  batchId: string | null;
  stage: string | null;
  progress: number;
  message: string;
  data: Record<string, unknown>;
}
