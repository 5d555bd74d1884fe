using Ashlar.Interop.Tests.Clients;
using Ashlar.Simulation;

namespace Ashlar.Interop.Tests.Crashes;

/// <summary>
/// One client with a connection and a range of its own, working until the server goes away. Everything it is about to do is
/// told to the ledger first, and everything the server answered after.
/// </summary>
sealed class Writer(int number, string protocol, BlockRange range, Ledger ledger, ulong run)
{
    const int RequestBlocksMax = 32;
    const int FirstFlush = 4; // So that a life has one even if it is short.
    readonly byte[] buffer = new byte[RequestBlocksMax * BlockStamp.SizeBytes];
    int answers, blocks, flushes;

    public string Name => $"writer {number} over {protocol}";

    public BlockRange Range => range;

    /// <summary>Requests that were answered.</summary>
    public int Answers => Volatile.Read(ref answers);

    /// <summary>Blocks written, trimmed or zeroed, and answered for.</summary>
    public int CompletedBlocks => Volatile.Read(ref blocks);

    /// <summary>Flushes that were answered.</summary>
    public int CompletedFlushes => Volatile.Read(ref flushes);

    /// <summary>Works until <paramref name="expectsEnd"/> says that an error is the server's ordered death, and one comes.</summary>
    /// <returns>Null, or what the server did wrong.</returns>
    public string? Work(IBlockClient client, SeededRandom random, int cycle, Func<bool> expectsEnd)
    {
        try
        {
            for (var step = 1; !expectsEnd(); step++)
            {
                if (step == FirstFlush) Flush(client);
                else if (Step(client, random, cycle) is { } wrong) return $"{Name}: {wrong}";
                Interlocked.Increment(ref answers);
            }
            return null;
        }
        catch (ClientException exception)
        {
            // What was in flight stays issued and not completed: the ledger accepts it either way.
            return expectsEnd() ? null : $"{Name}: {exception.Message}";
        }
    }

    string? Step(IBlockClient client, SeededRandom random, int cycle)
    {
        // Mostly small requests: the large ones matter for the seams between them.
        var count = random.OneIn(4) ? 1 + random.Next(RequestBlocksMax) : 1 + random.Next(4);
        count = Math.Min(count, range.Count);
        var first = range.First + random.Next(range.Count - count + 1);
        switch (random.Next(100))
        {
            case < 65:
                Write(client, first, count, cycle, forced: random.OneIn(12));
                return null;
            case < 75:
                Zero(first, count, client.Trim);
                return null;
            case < 80:
                Zero(first, count, client.WriteZeroes);
                return null;
            case < 90:
                return ReadBack(client, first, count);
            default:
                Flush(client);
                return null;
        }
    }

    void Write(IBlockClient client, int first, int count, int cycle, bool forced)
    {
        Span<long> versions = stackalloc long[count];
        for (var index = 0; index < count; index++)
        {
            versions[index] = ledger.Issue(first + index, zeros: false);
            new BlockStamp(run, first + index, versions[index], number, cycle)
                .Write(buffer.AsSpan(index * BlockStamp.SizeBytes, BlockStamp.SizeBytes));
        }
        var mark = ledger.BeginFlush();
        client.Write(range.OffsetOf(first), buffer.AsSpan(0, count * BlockStamp.SizeBytes), forced);
        for (var index = 0; index < count; index++)
        {
            ledger.Complete(first + index, versions[index]);
            if (forced) ledger.CompleteForced(first + index, versions[index]);
        }
        Interlocked.Add(ref blocks, count);
        // The promise is wider than the protocols': a FUA write also makes durable what was completed before it.
        if (forced) ledger.CompleteFlush(mark);
    }

    void Zero(int first, int count, Action<long, long> send)
    {
        Span<long> versions = stackalloc long[count];
        for (var index = 0; index < count; index++) versions[index] = ledger.Issue(first + index, zeros: true);
        send(range.OffsetOf(first), (long)count * BlockStamp.SizeBytes);
        for (var index = 0; index < count; index++) ledger.Complete(first + index, versions[index]);
        Interlocked.Add(ref blocks, count);
    }

    string? ReadBack(IBlockClient client, int first, int count)
    {
        client.Read(range.OffsetOf(first), buffer.AsSpan(0, count * BlockStamp.SizeBytes));
        for (var index = 0; index < count; index++)
        {
            var verdict = ledger.JudgeLive(first + index, buffer.AsSpan(index * BlockStamp.SizeBytes, BlockStamp.SizeBytes));
            if (verdict.Fault != Fault.None) return verdict.Explanation;
        }
        return null;
    }

    void Flush(IBlockClient client)
    {
        var mark = ledger.BeginFlush();
        client.Flush();
        ledger.CompleteFlush(mark);
        Interlocked.Increment(ref flushes);
    }
}
