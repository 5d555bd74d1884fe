using Ashlar.Scsi;
using Ashlar.Scsi.Tests;

namespace Ashlar.Iscsi.Tests;

/// <summary>An initiator that does not take its replies off holds up nobody but itself.</summary>
public sealed class StalledInitiatorTests
{
    const int Reads = 64, BlockCount = 2048;
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Whoever_completes_its_reads_is_not_held_up_and_others_reset_the_unit()
    {
        // Not "asynchronously": whoever completes them runs what follows, as the thread of a device does.
        var gate = new TaskCompletionSource();
        using var begun = new SemaphoreSlim(0);
        var device = new ScriptedDevice(32768)
        {
            BeforeRead = start =>
            {
                if (start.Value >= BlockCount) return default;
                begun.Release();
                return new(gate.Task);
            },
        };
        await using var target = new TestTarget(device, options => options with { TransferTimeout = TimeSpan.FromMinutes(10) });
        using var stalled = target.LogIn("iqn.2026-11.test:stalled");
        for (var i = 0; i < Reads; i++) stalled.SendCommand(Initiator.Cdb(0x28, 0, BlockCount), BlockCount * 512, reads: true);
        Assert.True(await begun.WaitAsync(Limit));

        await Task.Run(gate.SetResult).WaitAsync(Limit);
        using var other = target.LogIn("iqn.2026-11.test:other");
        Assert.Equal(512, other.Read(BlockCount, 1).Length);
        var reset = other.ManageTasks(TaskManagementFunction.LogicalUnitReset);
        Assert.Equal(TaskManagementResult.Complete, TaskManagementResponsePdu.Read(reset.Header).Result);
        other.ClearAttention();
        Initiator.MustBeGood(other.Command([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0])); // SYNCHRONIZE CACHE

        stalled.Dispose();
        other.Dispose();
        Assert.True(
            SpinWait.SpinUntil(() => target.Leases == 0 && target.Buffers.RentedBytes == 0 && target.Buffers.IdleBytes == 0, Limit));
    }
}
