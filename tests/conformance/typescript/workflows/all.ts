export * from './activities.ts';
export * from './basics.ts';
export * from './families.ts';
export * from './kills.ts';
export * from './kitchen.ts';
export * from './updates.ts';
