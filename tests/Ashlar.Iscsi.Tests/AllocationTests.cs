using System.Net;
using Ashlar.Blocks;
using Ashlar.Transport;

namespace Ashlar.Iscsi.Tests;

/// <summary>Alone, because it measures what the whole process allocates.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    [Fact]
    public async Task Reads_and_writes_allocate_nothing_on_the_server()
    {
        await using var front = new VolumeFront(new InstantDevice());
        var targets = new OneTarget(front);
        var options = new ListenerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), Name = "iscsi" };
        await using var server = IscsiServer.Start([options], targets, new BufferPool(), _ => { });
        using var initiator = new Initiator(server.EndPoint);
        initiator.LogIn("iqn.2026-11.test:one", 1);
        initiator.ClearAttention();
        Work(initiator, 300);
        var least = Enumerable.Range(0, 8).Min(_ => ServerBytesPerRound(initiator));
        Assert.True(least < 16, $"{least} bytes for a write and a read");
    }

    static void Work(Initiator initiator, int rounds)
    {
        var data = new byte[4096];
        for (var i = 0; i < rounds; i++)
        {
            initiator.Write(0, data, blockSizeBytes: 4096);
            initiator.Read(0, 1, blockSizeBytes: 4096);
        }
    }

    // What all threads allocate, less what this one does as initiator.
    static long ServerBytesPerRound(Initiator initiator)
    {
        const int rounds = 1000;
        var total = GC.GetTotalAllocatedBytes(precise: true);
        var own = GC.GetAllocatedBytesForCurrentThread();
        Work(initiator, rounds);
        own = GC.GetAllocatedBytesForCurrentThread() - own;
        return (GC.GetTotalAllocatedBytes(precise: true) - total - own) / rounds;
    }

    sealed class OneTarget(VolumeFront front) : IIscsiTargets
    {
        public IReadOnlyList<string> List(ClientIdentity initiator) => [TestTarget.Name];

        public IscsiTarget? Open(string target, ClientIdentity initiator) =>
            new(target, [new(0, Guid.Empty, front.Attach(initiator))]);
    }

    /// <summary>Answers at once and allocates nothing, so that what is measured is the server's own.</summary>
    sealed class InstantDevice : IBlockDevice
    {
        readonly byte[] bytes = new byte[64 * 4096];

        public string Name => "instant";

        public BlockGeometry Geometry => new(4096, 64);

        public bool IsReadOnly => false;

        public ValueTask ReadAsync(Lba start, Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            bytes.AsSpan((int)start.Value * 4096, destination.Length).CopyTo(destination.Span);
            return ValueTask.CompletedTask;
        }

        public ValueTask WriteAsync(
            Lba start, ReadOnlyMemory<byte> source, WriteOptions options = WriteOptions.None, CancellationToken cancellationToken = default)
        {
            source.Span.CopyTo(bytes.AsSpan((int)start.Value * 4096));
            return ValueTask.CompletedTask;
        }

        public ValueTask WriteZeroesAsync(
            Lba start, long blockCount, ZeroOptions options = ZeroOptions.None, CancellationToken cancellationToken = default) => default;

        public ValueTask TrimAsync(Lba start, long blockCount, CancellationToken cancellationToken = default) => default;

        public ValueTask FlushAsync(CancellationToken cancellationToken = default) => default;

        public int DescribeExtents(Lba start, long blockCount, Span<BlockExtent> extents) => 0;

        public DeviceStatistics GetStatistics() => default;

        public ValueTask DisposeAsync() => default;
    }
}
