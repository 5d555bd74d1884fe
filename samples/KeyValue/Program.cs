using System.Text;
using Ashlar.KeyValue;

// Opens the store in a directory, or creates it. One process at a time has it open.
using var store = KeyValueStore.Open(args.Length > 0 ? args[0] : "cities");

store.Put("city/paris"u8, "2.1 million"u8);                         // On stable storage when the call returns.
store.Put("session/17"u8, "alice"u8, TimeSpan.FromMinutes(30));     // Gone after half an hour.

var batch = new WriteBatch();
batch.Put("city/rome"u8, "2.8 million"u8);
batch.Put("city/oslo"u8, "0.7 million"u8);
batch.Delete("city/atlantis"u8);
store.Write(batch);                                                 // All or nothing, also after a power cut.

Console.WriteLine($"Paris: {Encoding.UTF8.GetString(store.Get("city/paris"u8)!)}");

using var snapshot = store.CreateSnapshot();                        // The store as it is now.
store.Delete("city/paris"u8, Durability.Relaxed);                   // On stable storage within a second.

using var cities = snapshot.Scan(KeyRange.Prefix("city/"u8));
while (cities.MoveNext()) Console.WriteLine($"{Encoding.UTF8.GetString(cities.Key)}: {Encoding.UTF8.GetString(cities.Value)}");
