using System.Diagnostics;
using System.Runtime.InteropServices;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Histories;

/// <summary>One client that reads and writes a few blocks which others read and write as well, and records when.</summary>
sealed class RegisterClient(int number, IBlockClient client, IReadOnlyList<long> offsets, SeededRandom random)
{
    public const int BlockBytes = 512;

    readonly byte[] block = new byte[BlockBytes], other = new byte[BlockBytes];
    readonly ulong[] lastSeen = new ulong[offsets.Count];
    ulong nextValue = ((ulong)number + 1) << 32;

    /// <summary>Calls by block.</summary>
    public IReadOnlyList<List<RecordedCall<BlockCall>>> Calls { get; } = [.. offsets.Select(_ => new List<RecordedCall<BlockCall>>())];

    /// <summary>Whether some of its reads are answered from what it knew before: what nobody may notice does not exist.</summary>
    public bool IsCaching { get; init; }

    public void Work(int calls)
    {
        for (var call = 0; call < calls; call++)
        {
            var register = random.Next(offsets.Count);
            var begun = Stopwatch.GetTimestamp();
            var done = Call(register, offsets[register]);
            Calls[register].Add(new(done, begun, Stopwatch.GetTimestamp()));
        }
    }

    BlockCall Call(int register, long offset)
    {
        switch (random.Next(10))
        {
            case < 4:
                if (IsCaching && lastSeen[register] != 0) return new(BlockCallKind.Read, 0, lastSeen[register]);
                client.Read(offset, block);
                return new(BlockCallKind.Read, 0, lastSeen[register] = ValueOf(block));
            case < 7 when client is IscsiClient iscsi:
                var expected = lastSeen[register];
                Fill(other, expected);
                var compared = NewBlock();
                var isDone = iscsi.CompareAndWrite(offset, other, block);
                if (isDone) lastSeen[register] = compared;
                return new(BlockCallKind.CompareAndWrite, expected, compared, isDone);
            case 9:
                if (random.OneIn(2)) client.Trim(offset, BlockBytes);
                else client.WriteZeroes(offset, BlockBytes);
                lastSeen[register] = 0;
                return new(BlockCallKind.Write, 0, 0);
            default:
                lastSeen[register] = NewBlock();
                client.Write(offset, block, forceUnitAccess: random.OneIn(10));
                return new(BlockCallKind.Write, 0, lastSeen[register]);
        }
    }

    ulong NewBlock()
    {
        Fill(block, ++nextValue);
        return nextValue;
    }

    static void Fill(byte[] block, ulong value) => MemoryMarshal.Cast<byte, ulong>(block.AsSpan()).Fill(value);

    static ulong ValueOf(byte[] block)
    {
        var values = MemoryMarshal.Cast<byte, ulong>(block.AsSpan());
        Assert.False(values.ContainsAnyExcept(values[0]), "a block of two writes");
        return values[0];
    }
}
