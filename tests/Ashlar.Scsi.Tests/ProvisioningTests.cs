using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Scsi.Tests;

public sealed class ProvisioningTests
{
    readonly TestUnit unit = new();

    static byte[] UnmapList(params (ulong Lba, uint Count)[] ranges)
    {
        var list = new byte[8 + (16 * ranges.Length)];
        BinaryPrimitives.WriteUInt16BigEndian(list, (ushort)(list.Length - 2));
        BinaryPrimitives.WriteUInt16BigEndian(list.AsSpan(2), (ushort)(16 * ranges.Length));
        for (var i = 0; i < ranges.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8 + (16 * i)), ranges[i].Lba);
            BinaryPrimitives.WriteUInt32BigEndian(list.AsSpan(16 + (16 * i)), ranges[i].Count);
        }
        return list;
    }

    Answer Unmap(byte[] list) => unit.Send([0x42, 0, 0, 0, 0, 0, 0, (byte)(list.Length >> 8), (byte)list.Length, 0], list);

    (ulong Lba, uint Count, byte State)[] LbaStatus(ulong lba, uint allocation = 4096)
    {
        var answer = unit.Send(TestUnit.Cdb16(0x9E, lba, allocation, flags: 0x12)).MustBeGood();
        return [.. Enumerable.Range(0, (answer.Length - 8) / 16).Select(i => (
            BinaryPrimitives.ReadUInt64BigEndian(answer.AsSpan(8 + (16 * i))),
            BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(16 + (16 * i))),
            answer[20 + (16 * i)]))];
    }

    [Fact]
    public void Unmapped_blocks_read_as_zeros_and_are_described_as_deallocated()
    {
        unit.Fill(0, 64, 1);
        Unmap(UnmapList((8, 8), (32, 16))).MustBeGood();
        Assert.Equal(TestUnit.Blocks(8, 0), unit.Read(8, 8));
        Assert.Equal(TestUnit.Blocks(8, 1), unit.Read(16, 8));
        Assert.Equal((8UL, 8u, (byte)1), LbaStatus(8)[0]);
    }

    [Fact]
    public void Lba_status_starts_at_the_block_asked_for_and_covers_the_rest()
    {
        unit.Fill(100, 10, 1);
        var status = LbaStatus(50);
        Assert.Equal((50UL, 50u, (byte)1), status[0]);
        Assert.Equal((100UL, 10u, (byte)0), status[1]);
        Assert.Equal((105UL, 5u, (byte)0), LbaStatus(105, allocation: 24)[0]);
        unit.Send(TestUnit.Cdb16(0x9E, 4096, 24, flags: 0x12)).MustFail("5/21/00");
    }

    [Fact]
    public void Unmap_of_nothing_is_no_error()
    {
        Unmap([]).MustBeGood();
        Unmap(UnmapList()).MustBeGood();
        Unmap(UnmapList((4096, 0))).MustBeGood();
    }

    [Fact]
    public void A_list_with_one_wrong_range_changes_nothing()
    {
        unit.Fill(0, 8, 1);
        Unmap(UnmapList((0, 8), (4095, 2))).MustFail("5/21/00");
        Unmap(UnmapList((0, 8), (ulong.MaxValue, 2))).MustFail("5/21/00");
        Assert.Equal(TestUnit.Blocks(8, 1), unit.Read(0, 8));
    }

    [Fact]
    public void A_list_whose_length_lies_is_refused()
    {
        var list = UnmapList((0, 8));
        BinaryPrimitives.WriteUInt16BigEndian(list.AsSpan(2), 160);
        Unmap(list).MustFail("5/1A/00");
        Unmap(new byte[7]).MustFail("5/1A/00");
    }

    [Fact]
    public void Unmap_keeps_to_its_limits()
    {
        Unmap(UnmapList([.. Enumerable.Repeat((0UL, 1u), 257)])).MustFail("5/26/00");
        Unmap(UnmapList([.. Enumerable.Repeat((0UL, 4096u), 256)])).MustBeGood();
        unit.Send([0x42, 1, 0, 0, 0, 0, 0, 0, 0, 0], []).MustFail("5/24/00"); // ANCHOR
    }

    [Fact]
    public void Write_same_repeats_a_block()
    {
        var block = TestUnit.Blocks(1, 0xCD);
        block[0] = 1;
        unit.Send(TestUnit.Cdb10(0x41, 100, 1500), block).MustBeGood();
        var data = unit.Read(100, 1500);
        for (var i = 0; i < 1500; i++) Assert.Equal(block, data[(i * 512)..((i + 1) * 512)]);
        Assert.Equal(TestUnit.Blocks(1, 0), unit.Read(1600, 1));
    }

    [Theory]
    [InlineData(0x08, null)]                       // UNMAP: the space goes.
    [InlineData(0x00, ZeroOptions.KeepAllocated)]  // Zeros that keep their space.
    public void Write_same_of_zeros_gives_space_back_only_when_told(int flags, ZeroOptions? cleared)
    {
        unit.Fill(0, 16, 1);
        unit.Send(TestUnit.Cdb16(0x93, 0, 16, flags), TestUnit.Blocks(1, 0)).MustBeGood();
        Assert.Equal(TestUnit.Blocks(16, 0), unit.Read(0, 16));
        Assert.Equal([cleared], unit.Device.Cleared);
    }

    [Fact]
    public void Write_same_without_data_writes_zeros()
    {
        unit.Fill(0, 4, 1);
        unit.Send(TestUnit.Cdb16(0x93, 0, 4, flags: 0x09)).MustBeGood();
        Assert.Equal(TestUnit.Blocks(4, 0), unit.Read(0, 4));
    }

    [Fact]
    public void Write_same_of_other_than_zeros_writes_them_even_with_UNMAP()
    {
        unit.Send(TestUnit.Cdb16(0x93, 0, 4, flags: 0x08), TestUnit.Blocks(1, 7)).MustBeGood();
        Assert.Equal(TestUnit.Blocks(4, 7), unit.Read(0, 4));
    }

    [Fact]
    public void Write_same_keeps_to_its_limits()
    {
        unit.Send(TestUnit.Cdb16(0x93, 0, 0), TestUnit.Blocks(1, 0)).MustFail("5/24/00");
        unit.Send(TestUnit.Cdb10(0x41, 0, 0), TestUnit.Blocks(1, 0)).MustFail("5/24/00");
        unit.Send(TestUnit.Cdb16(0x93, 0, 1, flags: 0x10), TestUnit.Blocks(1, 0)).MustFail("5/24/00"); // ANCHOR
        unit.Send(TestUnit.Cdb10(0x41, 0, 1, flags: 0x01)).MustFail("5/24/00");                          // NDOB is of 16 bytes.
        new TestUnit(new ScriptedDevice(100_000)).Send(TestUnit.Cdb16(0x93, 0, 32769), TestUnit.Blocks(1, 0)).MustFail("5/24/00");
    }
}
