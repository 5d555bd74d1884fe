using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Scsi.Tests;

public sealed class DeviceErrorTests
{
    readonly TestUnit unit = new();

    public static TheoryData<Exception, string, string> Failures => new()
    {
        { new DeviceFullException("d", "the pool is full"), "7/27/07", "7/27/07" },
        { new BadBlockException("d", new Lba(3)), "3/11/00", "3/0C/00" },
        { new CorruptDataException("d", 4096, "checksum mismatch") { Block = 77 }, "3/11/00", "3/0C/00" },
        { new CorruptDataException("d", 0, "checksum"), "3/11/00", "3/0C/00" },
        { new DeviceIOException("d", "broken", isTransient: false), "3/11/00", "3/0C/00" },
        { new DeviceReadOnlyException("d"), "7/27/00", "7/27/00" },
        { new BlockRangeException("d", new Lba(9), 1, 5), "5/21/00", "5/21/00" },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public void Failures_of_the_device_have_their_sense(Exception failure, string reading, string writing)
    {
        unit.Device.BeforeRead = _ => ValueTask.FromException(failure);
        unit.Device.BeforeWrite = _ => ValueTask.FromException(failure);
        unit.Device.BeforeFlush = () => ValueTask.FromException(failure);
        unit.Send(TestUnit.Cdb10(0x28, 0, 1)).MustFail(reading);
        unit.Send(TestUnit.Cdb10(0x2F, 0, 1)).MustFail(reading);
        unit.Send(TestUnit.Cdb10(0x2A, 0, 1), TestUnit.Blocks(1, 1)).MustFail(writing);
        unit.Send(TestUnit.Cdb10(0x2E, 0, 1), TestUnit.Blocks(1, 1)).MustFail(writing);
        unit.Send(TestUnit.Cdb10(0x35, 0, 0)).MustFail(writing);
        unit.Send(TestUnit.Cdb10(0x41, 0, 1), TestUnit.Blocks(1, 1)).MustFail(writing);
        unit.Send(TestUnit.Cdb10(0x41, 0, 1), TestUnit.Blocks(1, 0)).MustFail(writing);
    }

    [Fact]
    public void A_bad_block_is_named()
    {
        unit.Device.BeforeRead = _ => ValueTask.FromException(new BadBlockException("d", new Lba(77)));
        Assert.Equal(77UL, unit.Send(TestUnit.Cdb10(0x28, 70, 10)).Sense.Information);
    }

    [Fact]
    public void A_block_that_fails_its_checksum_is_named()
    {
        unit.Device.BeforeRead = _ => ValueTask.FromException(new CorruptDataException("d", 0, "checksum mismatch") { Block = 78 });
        Assert.Equal(78UL, unit.Send(TestUnit.Cdb10(0x28, 70, 10)).Sense.Information);
    }

    [Fact]
    public async Task A_bug_is_not_hidden_as_a_failure_of_the_medium()
    {
        unit.Device.BeforeRead = _ => ValueTask.FromException(new InvariantException("x"));
        await Assert.ThrowsAsync<InvariantException>(() => unit.SendAsync(TestUnit.Cdb10(0x28, 0, 1)));
    }

    [Fact]
    public void After_a_failure_the_blocks_are_free_for_others()
    {
        unit.Device.BeforeRead = _ => ValueTask.FromException(new BadBlockException("d", new Lba(0)));
        var cdb = TestUnit.Cdb16(0x89, 0, 0);
        cdb[13] = 1;
        unit.Send(cdb, TestUnit.Blocks(2, 0)).MustFail("3/11/00");
        unit.Fill(0, 1, 1);
    }
}
