using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Ashlar.KeyValue;

var directory = args.Length > 0 ? args[0] : "jobs";
using (var store = KeyValueStore.Open(directory))
{
    var queue = new JobQueue(store);
    foreach (var picture in (string[])["cat", "dog", "owl"]) queue.Add($"resize {picture}.png");
    if (queue.TryPeek(out var first))
    {
        Console.WriteLine($"did {first}");
        queue.Complete(first);
    }

    if (queue.TryPeek(out var second)) Console.WriteLine($"left {second}");    // As if the process had been killed in the middle of it.
}

using (var store = KeyValueStore.Open(directory))
{
    var queue = new JobQueue(store);
    while (queue.TryPeek(out var job))
    {
        Console.WriteLine($"did {job}");
        queue.Complete(job);
    }
}

/// <summary>What is to be done, in the order in which it came. For one worker; any number of threads may add.</summary>
sealed class JobQueue
{
    static readonly byte[] Prefix = "job/"u8.ToArray();
    readonly KeyValueStore store;
    long last;

    public JobQueue(KeyValueStore store)
    {
        this.store = store;
        using var newest = store.Scan(KeyRange.Prefix(Prefix), ScanDirection.Backward);
        last = newest.MoveNext() ? NumberOf(newest.Key) : 0;
    }

    /// <summary>On stable storage when it returns: from here on the job is done once at least.</summary>
    public void Add(string what) => store.Put(KeyOf(Interlocked.Increment(ref last)), Encoding.UTF8.GetBytes(what));

    /// <summary>The oldest job. It stays the oldest until it is complete, whatever becomes of the process.</summary>
    public bool TryPeek([NotNullWhen(true)] out Job? job)
    {
        using var oldest = store.Scan(KeyRange.Prefix(Prefix));
        job = oldest.MoveNext() ? new Job(NumberOf(oldest.Key), Encoding.UTF8.GetString(oldest.Value)) : null;
        return job is not null;
    }

    public void Complete(Job job) => store.Delete(KeyOf(job.Number));

    // Big-endian, so that keys have the order of numbers.
    static byte[] KeyOf(long number)
    {
        byte[] key = [.. Prefix, .. new byte[sizeof(long)]];
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(Prefix.Length), number);
        return key;
    }

    static long NumberOf(ReadOnlySpan<byte> key) => BinaryPrimitives.ReadInt64BigEndian(key[Prefix.Length..]);
}

sealed record Job(long Number, string What)
{
    public override string ToString() => $"job {Number}: {What}";
}
