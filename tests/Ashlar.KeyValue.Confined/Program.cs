using System.Globalization;
using Ashlar.KeyValue;
using Ashlar.Storage;

// Writes to a store in a process that has too little of something, and says of each write that it was acknowledged. Ends by itself, by an
// error of the engine (exit code 3), or by one that nobody can go on from.
//
//   Ashlar.KeyValue.Confined DIRECTORY SEED WRITES LONGEST
var directory = args[0];
var (seed, writes, longest) = (Number(1), Number(2), Number(3));
using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
try
{
    var options = KeyValueOptions.Default with
    {
        // Much is wanted in memory, and many files.
        MemTableBytes = 256 << 20,
        SeparatedValueBytes = int.MaxValue,
        LogSegmentBytes = seed % 2 == 0 ? 64 << 10 : 256 << 20,
        TableBytes = 64 << 10,
    };
    using var store = KeyValueStore.Open(directory, options);
    var held = new List<KeyValueSnapshot>();
    for (var number = 0; number < writes; number++)
    {
        var value = new byte[(int)((((long)number * 1_000_003) + seed) % longest)];
        value.AsSpan().Fill((byte)number);
        store.Put(BitConverter.GetBytes(number), value);
        output.WriteLine(number);
        if (number % 16 == 0) held.Add(store.CreateSnapshot());
    }

    foreach (var snapshot in held) snapshot.Dispose();
    return 0;
}
catch (AshlarException refused)
{
    Console.Error.WriteLine($"refused: {refused.Message}");
    return 3;
}

int Number(int at) => int.Parse(args[at], CultureInfo.InvariantCulture);
