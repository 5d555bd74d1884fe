using Ashlar.KeyValue;
using Ashlar.KeyValue.Sharding;

// Opens the store in a directory, or creates it. The layout is fixed when it is created.
var directory = args.Length > 0 ? args[0] : "orders";
using var store = ShardedKeyValueStore.Open(directory, new()
{
    ShardCount = 4,
    HashedPrefixBytes = 6,                                          // Keys that begin alike are in one shard,
});

var batch = new WriteBatch();                                       // so a batch of them is all or nothing.
for (var order = 1; order <= 3; order++) batch.Put([.. "alice/"u8, (byte)('0' + order)], "paid"u8);
store.Write(batch);

var orders = 0;
using var cursor = store.Scan(KeyRange.Prefix("alice/"u8));
while (cursor.MoveNext()) orders++;
Console.WriteLine($"alice in shard {store.GetShard("alice/"u8)} of {store.ShardCount}: {orders} orders");

var backup = store.BackUp(directory + "-backups");                  // All shards at one moment, while writing goes on.
Console.WriteLine($"backup {backup.Number} holds {backup.Shards.Count} shards");
