using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;

namespace Ashlar.Nvme.Bench;

/// <summary>
/// What one connection does. Places are those of its own part of the volume, which no other connection writes, so what is read can be
/// known.
/// </summary>
sealed class Work : IDisposable
{
    const int ArenaBytes = 4 << 20;

    readonly BenchOptions options;
    readonly BenchClient client;
    readonly Random random;
    readonly byte[] arena = new byte[ArenaBytes];
    readonly long firstByte;
    readonly int blocks;
    readonly int[] blockOf;
    readonly long[] sentAt;
    readonly RequestKind[] kinds;
    readonly Stack<int> idle = new();
    readonly uint[] written;   // Of a check: how often each block was; what it holds follows from that.
    readonly bool[] isUnderWay;
    int next;
    int sinceFlush;

    public Work(BenchOptions options, int index, BenchClient client)
    {
        this.options = options;
        this.client = client;
        random = new Random(options.Seed + (index * 7919));
        random.NextBytes(arena);
        var part = options.SizeBytes / options.Connections / options.BlockBytes;
        blocks = (int)part;
        firstByte = index * part * options.BlockBytes;
        blockOf = new int[options.Depth];
        sentAt = new long[options.Depth];
        kinds = new RequestKind[options.Depth];
        written = new uint[options.Kind == WorkKind.Check ? blocks : 0];
        isUnderWay = new bool[written.Length];
        next = random.Next(blocks);
        for (var slot = options.Depth - 1; slot >= 0; slot--) idle.Push(slot);
    }

    public Latencies Latencies { get; } = new();

    public long From { get; private set; }

    public long Until { get; private set; }

    public long Compared { get; private set; }

    public string? Failure { get; private set; }

    public void Run(Barrier gate)
    {
        gate.SignalAndWait();
        try
        {
            var begin = Stopwatch.GetTimestamp();
            From = begin + (long)(options.Ramp * Stopwatch.Frequency);
            Until = From + (long)(options.Seconds * Stopwatch.Frequency);
            if (options.Kind == WorkKind.Fill)
            {
                FillAll();
                return;
            }
            while (Stopwatch.GetTimestamp() < Until) Step();
            while (idle.Count < options.Depth) Finish();
            if (options.Kind == WorkKind.Check) ReadAll();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Failure = e.Message;
        }
    }

    public void Dispose() => client.Dispose();

    void Step()
    {
        if (options.FlushEvery > 0 && sinceFlush >= options.FlushEvery)
        {
            // What it is to make durable was answered before.
            while (idle.Count < options.Depth) Finish();
            sinceFlush = 0;
            Begin(RequestKind.Flush, 0);
            Finish();
            return;
        }
        while (idle.Count > 0 && (options.FlushEvery == 0 || sinceFlush < options.FlushEvery)) BeginNext();
        Finish();
    }

    void BeginNext()
    {
        switch (options.Kind)
        {
            case WorkKind.RandomRead:
                Begin(RequestKind.Read, random.Next(blocks));
                break;
            case WorkKind.SequentialRead:
                Begin(RequestKind.Read, next++ % blocks);
                break;
            case WorkKind.RandomWrite:
                Begin(RequestKind.Write, random.Next(blocks));
                break;
            case WorkKind.SequentialWrite:
                Begin(RequestKind.Write, next++ % blocks);
                break;
            default:
                int block;
                do block = random.Next(blocks);
                while (isUnderWay[block]);
                isUnderWay[block] = true;
                Begin(random.Next(2) == 0 ? RequestKind.Read : RequestKind.Write, block);
                break;
        }
    }

    void Begin(RequestKind kind, int block)
    {
        var slot = idle.Pop();
        (kinds[slot], blockOf[slot]) = (kind, block);
        if (kind == RequestKind.Write)
        {
            sinceFlush++;
            if (options.Kind == WorkKind.Check) Fill(client.Buffer(slot), block, ++written[block]);
            else Fill(client.Buffer(slot));
        }
        sentAt[slot] = Stopwatch.GetTimestamp();
        client.Submit(slot, kind, firstByte + ((long)block * options.BlockBytes));
    }

    void Finish()
    {
        var slot = client.Complete();
        var now = Stopwatch.GetTimestamp();
        idle.Push(slot);
        // Where there are flushes they are what is measured.
        if (now >= From && now < Until && (kinds[slot] == RequestKind.Flush) == (options.FlushEvery > 0)) Latencies.Add(now - sentAt[slot]);
        if (options.Kind != WorkKind.Check || kinds[slot] == RequestKind.Flush) return;
        isUnderWay[blockOf[slot]] = false;
        if (kinds[slot] == RequestKind.Read) Compare(slot);
    }

    void FillAll()
    {
        for (var block = 0; block < blocks; block++)
        {
            if (idle.Count == 0) Finish();
            Begin(RequestKind.Write, block);
        }
        while (idle.Count < options.Depth) Finish();
        Begin(RequestKind.Flush, 0);
        Finish();
    }

    void ReadAll()
    {
        for (var block = 0; block < blocks; block++)
        {
            if (written[block] == 0) continue;
            Begin(RequestKind.Read, block);
            Finish();
        }
    }

    void Compare(int slot)
    {
        var block = blockOf[slot];
        if (written[block] == 0) return; // Of an earlier run, perhaps.
        Compared++;
        var expected = new byte[options.BlockBytes];
        Fill(expected, block, written[block]);
        if (expected.AsSpan().SequenceEqual(client.Buffer(slot))) return;
        throw new IOException(
            $"block {block} from byte {firstByte} is not what was written there last (time {written[block]}, seed {options.Seed})");
    }

    // Bytes that were not there before, as fio's --refill_buffers has them; by a copy, which costs the same for every protocol.
    void Fill(byte[] buffer)
    {
        for (var at = 0; at < buffer.Length; at += ArenaBytes / 2)
        {
            var length = Math.Min(buffer.Length - at, ArenaBytes / 2);
            arena.AsSpan(random.Next(ArenaBytes - length), length).CopyTo(buffer.AsSpan(at));
        }
    }

    void Fill(byte[] buffer, int block, uint time)
    {
        arena.AsSpan((int)(((uint)block * 131) + (time * 17)) % (ArenaBytes / 2) & int.MaxValue, buffer.Length).CopyTo(buffer);
        BinaryPrimitives.WriteInt32LittleEndian(buffer, block);
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(4), time);
    }
}
