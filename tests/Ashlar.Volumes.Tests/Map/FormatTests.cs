using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>The bytes on disk, pinned: what is written today is read for ever.</summary>
public sealed class FormatTests
{
    static readonly Guid Id = new("00112233-4455-4677-8899-aabbccddeeff");

    [Fact]
    public void A_leaf_has_these_bytes()
    {
        var map = new LeafMap();
        var (entries, checksums) = (map.Entries, map.Checksums);
        entries[1] = new ChunkEntry { Chunk = 0x0000_0403_0201, Birth = 7, Valid = 0b101 };
        entries[15] = new ChunkEntry { Chunk = 2, Birth = 1, Valid = 0 };
        (checksums[16], checksums[18]) = (0x11223344, 0xAABBCCDD);
        var bytes = new byte[LeafFormat.MaxBytes];
        var length = LeafFormat.Write(bytes, map, LeafVersion.First);
        Assert.Equal(
            "0102"
            + "01000500" + "010203040000" + "070000000000" + "44332211" + "DDCCBBAA"
            + "0F000000" + "020000000000" + "010000000000",
            Convert.ToHexString(bytes.AsSpan(0, length)));

        var read = new LeafMap();
        var (readEntries, readChecksums) = (read.Entries, read.Checksums);
        Assert.Equal(LeafVersion.First, LeafFormat.Read(bytes.AsSpan(0, length), read, long.MaxValue, "pool", 0));
        Assert.Equal(checksums, readChecksums);
        var (first, last) = (readEntries[1], readEntries[15]);
        Assert.Equal((0x04030201L, 7L, (ushort)5, false), (first.Chunk, first.Birth, first.Valid, first.IsKept));
        Assert.Equal((2L, 1L, (ushort)0, false), (last.Chunk, last.Birth, last.Valid, last.IsKept));
        Assert.Equal((ushort)5, readEntries[1].CommittedValid);
    }

    [Fact]
    public void A_leaf_with_a_kept_chunk_has_room_for_all_of_its_checksums_from_the_beginning()
    {
        var map = new LeafMap();
        var (entries, checksums) = (map.Entries, map.Checksums);
        Array.Fill(checksums, 0xFFFFFFFF); // Of what the blocks held once.
        entries[1] = new ChunkEntry { Chunk = 3, Birth = 1, Valid = 0b1 };
        entries[15] = new ChunkEntry { Chunk = 2, Birth = 1, Valid = 0b10, IsKept = true };
        (checksums[16], checksums[241]) = (0xAABBCCDD, 0x11223344);
        var bytes = new byte[LeafFormat.MaxBytes];
        var length = LeafFormat.Write(bytes, map, LeafVersion.First);
        Assert.Equal(
            "0202"
            + "01000100" + "030000000000" + "010000000000" + "DDCCBBAA"
            + "0F030200" + "020000000000" + "010000000000" + "00000000" + "44332211" + new string('0', 14 * 8),
            Convert.ToHexString(bytes.AsSpan(0, length)));

        var read = new LeafMap();
        var (readEntries, readChecksums) = (read.Entries, read.Checksums);
        Assert.Equal(LeafVersion.First, LeafFormat.Read(bytes.AsSpan(0, length), read, long.MaxValue, "pool", 0));
        var (thin, kept) = (readEntries[1], readEntries[15]);
        Assert.Equal((2L, (ushort)2, true, 0x11223344u), (kept.Chunk, kept.Valid, kept.IsKept, readChecksums[241]));
        Assert.Equal((3L, (ushort)1, false, 0xAABBCCDDu), (thin.Chunk, thin.Valid, thin.IsKept, readChecksums[16]));

        const int full = 2 + (16 * (16 + 64));
        for (var slot = 0; slot < entries.Length; slot++)
            entries[slot] = new() { Chunk = 2 + slot, Birth = 1, Valid = ushort.MaxValue, IsKept = true };
        Assert.Equal(full, LeafFormat.Write(bytes, map, LeafVersion.First));
        for (var slot = 0; slot < entries.Length; slot++) entries[slot].Valid = 0;
        Assert.Equal(full, LeafFormat.Write(bytes, map, LeafVersion.First));
    }

    [Fact]
    public void A_kept_chunk_without_room_for_its_checksums_is_read_as_earlier_programs_wrote_it()
    {
        var map = new LeafMap();
        LeafFormat.Read(Convert.FromHexString("01010F010000020000000000010000000000"), map, 100, "pool", 0);
        var entries = map.Entries;
        Assert.Equal((2L, (ushort)0, true), (entries[15].Chunk, entries[15].Valid, entries[15].IsKept));
    }

    [Fact]
    public void The_worked_example_of_the_format_is_what_is_written()
    {
        var map = new LeafMap();
        var (entries, checksums) = (map.Entries, map.Checksums);
        entries[1] = new ChunkEntry { Chunk = 0x0403_0201, Birth = 7, Valid = 0b101 };
        entries[15] = new ChunkEntry { Chunk = 2, Birth = 1, Valid = 0b10, IsKept = true };
        (checksums[16], checksums[18], checksums[241]) = (0x11223344, 0xAABBCCDD, 0x12345678);
        var bytes = new byte[LeafFormat.MaxBytes];
        var length = LeafFormat.Write(bytes, map, LeafVersion.First);
        Assert.Equal(
            "0202"
            + "01000500" + "010203040000" + "070000000000" + "44332211" + "DDCCBBAA"
            + "0F030200" + "020000000000" + "010000000000" + "00000000" + "78563412" + new string('0', 14 * 8),
            Convert.ToHexString(bytes.AsSpan(0, length)));
    }

    [Fact]
    public void A_leaf_that_was_changed_after_a_snapshot_has_these_bytes()
    {
        var map = new LeafMap();
        map.Entries[1] = new ChunkEntry { Chunk = 3, Birth = 1, Valid = 0b111, Redirected = 0b110 };
        map.Entries[2] = new ChunkEntry { Valid = 0b1, Redirected = 0b1 };
        map.EnsureRedirected().Set(17, 0x0102_0304_0506_07, 5);
        map.Redirected!.Set(18, 0x0102_0304_0506_08, 5);
        map.Redirected.Set(32, 0x50, 4);
        (map.Checksums[16], map.Checksums[17], map.Checksums[18], map.Checksums[32]) = (0x11223344, 0x55667788, 0x99AABBCC, 0xDDEEFF00);
        var bytes = new byte[LeafFormat.MaxBytes];
        var length = LeafFormat.Write(bytes, map, new LeafVersion(5, 3));
        Assert.Equal(
            "03010200" + "050000000000" + "030000000000"
            + "01000100" + "030000000000" + "010000000000" + "44332211"
            + "1101" + "07060504030201" + "050000000000" + "88776655" + "CCBBAA99"
            + "2000" + "50000000000000" + "040000000000" + "00FFEEDD",
            Convert.ToHexString(bytes.AsSpan(0, length)));

        var read = new LeafMap();
        Assert.Equal(new LeafVersion(5, 3), LeafFormat.Read(bytes.AsSpan(0, length), read, long.MaxValue / 16, "pool", 0));
        Assert.Equal(map.Checksums, read.Checksums);
        Assert.Equal(map.ListRedirected(), read.ListRedirected());
        Assert.Equal((0b111, 0b110, 0b111), (read.Entries[1].Valid, read.Entries[1].Redirected, read.Entries[1].CommittedValid));
        Assert.Equal((0L, 0b1), (read.Entries[2].Chunk, read.Entries[2].Valid));
        Assert.Equal(new LeafVersion(5, 3), LeafFormat.ReadVersion(bytes.AsSpan(0, length), "pool", 0));
    }

    [Fact]
    public void A_leaf_of_the_first_generation_with_a_block_that_is_not_at_home_has_these_bytes()
    {
        var map = new LeafMap();
        map.Entries[1] = new ChunkEntry { Chunk = 3, Birth = 1, Valid = 0b11, Redirected = 0b10 };
        map.EnsureRedirected().Set(17, 0x40, 1);
        (map.Checksums[16], map.Checksums[17]) = (0x11223344, 0x55667788);
        var bytes = new byte[LeafFormat.MaxBytes];
        var length = LeafFormat.Write(bytes, map, LeafVersion.First);
        Assert.Equal(
            "03010100" + "010000000000" + "000000000000"
            + "01000100" + "030000000000" + "010000000000" + "44332211"
            + "1100" + "40000000000000" + "010000000000" + "88776655",
            Convert.ToHexString(bytes.AsSpan(0, length)));

        var read = new LeafMap();
        Assert.Equal(LeafVersion.First, LeafFormat.Read(bytes.AsSpan(0, length), read, 100, "pool", 0));
        Assert.Equal(map.Checksums, read.Checksums);
        Assert.Equal(map.ListRedirected(), read.ListRedirected());

        // When all is at home again it is what it was before.
        map.Entries[1].Redirected = 0;
        Assert.Equal(1, bytes[..LeafFormat.Write(bytes, map, LeafVersion.First)][0]);
    }

    [Fact]
    public void An_empty_leaf_that_hides_an_older_one_is_stored()
    {
        var bytes = new byte[LeafFormat.MaxBytes];
        var length = LeafFormat.Write(bytes, new LeafMap(), new LeafVersion(5, 3));
        Assert.Equal("03000000" + "050000000000" + "030000000000", Convert.ToHexString(bytes.AsSpan(0, length)));
        Assert.Equal(0, LeafFormat.Write(bytes, new LeafMap(), new LeafVersion(5, 0)));
        length = LeafFormat.WriteEmpty(bytes, new LeafVersion(5, 0));
        var read = new LeafMap();
        Assert.Equal(new LeafVersion(5, 0), LeafFormat.Read(bytes.AsSpan(0, length), read, 100, "pool", 0));
        Assert.True(read.IsEmpty);
    }

    [Fact]
    public void The_largest_leaf_fits()
    {
        var map = new LeafMap();
        var redirected = map.EnsureRedirected();
        for (var slot = 0; slot < MapLayout.ChunksPerLeaf; slot++)
            map.Entries[slot] = new() { Chunk = 2 + slot, Birth = 1, Valid = ushort.MaxValue, Redirected = ushort.MaxValue, IsKept = true };
        for (var block = 0; block < MapLayout.BlocksPerLeaf; block++) redirected.Set(block, 1000 - (2 * block), 4);
        Assert.Equal(LeafFormat.MaxBytes, LeafFormat.Write(new byte[LeafFormat.MaxBytes], map, new LeafVersion(5, 3)));
    }

    [Fact]
    public void A_leaf_without_entries_is_not_stored() =>
        Assert.Equal(0, LeafFormat.Write(new byte[LeafFormat.MaxBytes], new LeafMap(), LeafVersion.First));

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("0101")]
    [InlineData("010100000000020000000000010000000000FF")] // A byte too many.
    [InlineData("010110000000020000000000010000000000")] // Slot 16.
    [InlineData("010100020000020000000000010000000000")] // An unknown flag.
    [InlineData("02010F070000020000000000010000000000")] // An unknown flag of the second version.
    [InlineData("02010F030000020000000000010000000000")] // Without its checksums.
    [InlineData("02010F03000002000000000001000000000001000000000000000000000000000000000000000000000000000000000000000000000000000000"
        + "000000000000000000000000000000000000000000000000")] // A checksum of a block without data.
    [InlineData("010100000000010000000000010000000000")] // A chunk of a superblock.
    [InlineData("0101000000006400000000000100000000000000")] // Beyond the pool.
    [InlineData("01010000010002000000000001000000000011")] // Half a checksum.
    [InlineData("0102010000000200000000000100000000000000000003000000000001000000000000")] // Slots out of order.
    [InlineData("03000000" + "0500000000")] // Half a header.
    [InlineData("03000000" + "000000000000" + "000000000000")] // Generation 0.
    [InlineData("03000000" + "050000000000" + "050000000000")] // After itself.
    [InlineData("03000100" + "050000000000" + "030000000000" + "1100" + "28000000000000" + "0500000000")] // Half a run.
    [InlineData(
        "03000100" + "050000000000" + "030000000000" + "1101" + "28000000000000" + "050000000000" + "00000000")] // A checksum short.
    [InlineData("03000100" + "050000000000" + "030000000000" + "FF01" + "28000000000000" + "050000000000" + "0000000000000000")] // Too far.
    [InlineData("03000100" + "050000000000" + "030000000000" + "1100" + "40060000000000" + "050000000000" + "00000000")] // Beyond the pool.
    [InlineData("03000100" + "050000000000" + "030000000000" + "1100" + "1F000000000000" + "050000000000" + "00000000")] // A superblock.
    [InlineData("03000200" + "050000000000" + "030000000000" + "1100" + "28000000000000" + "050000000000" + "00000000"
        + "1100" + "29000000000000" + "050000000000" + "00000000")] // The same block again.
    [InlineData("03010100" + "050000000000" + "030000000000" + "01000200" + "030000000000" + "010000000000" + "44332211"
        + "1100" + "28000000000000" + "050000000000" + "00000000")] // At home and elsewhere.
    public void A_leaf_that_does_not_hold_together_is_damage(string hex) => Assert.Throws<CorruptDataException>(() => LeafFormat.Read(
        Convert.FromHexString(hex), new LeafMap(), 100, "pool", 3));

    [Fact]
    public void A_leaf_of_a_later_version_is_refused() => Assert.Throws<UnsupportedFormatException>(() => LeafFormat.Read(
        [4, 0], new LeafMap(), 100, "pool", 3));

    [Fact]
    public void A_bitmap_has_these_bytes_and_ends_at_its_last_bit()
    {
        var words = new ulong[GroupBitmap.Words];
        (words[0], words[2]) = (0b100, 1UL << 63);
        var bytes = new byte[GroupBitmap.MaxBytes];
        var length = GroupBitmap.Write(bytes, words);
        Assert.Equal(
            "01000000" + "0400000000000000" + "0000000000000000" + "0000000000000080", Convert.ToHexString(bytes.AsSpan(0, length)));
        var read = new ulong[GroupBitmap.Words];
        GroupBitmap.Read(bytes.AsSpan(0, length), read, "pool", 0);
        Assert.Equal(words, read);
        Assert.Equal(0, GroupBitmap.Write(bytes, new ulong[GroupBitmap.Words]));
        Assert.Throws<CorruptDataException>(() => GroupBitmap.Read(bytes.AsSpan(0, length - 1), read, "pool", 0));
    }

    [Fact]
    public void A_bitmap_has_a_word_at_least_and_those_of_a_group_at_most()
    {
        var words = new ulong[GroupBitmap.Words];
        words.AsSpan().Fill(ulong.MaxValue);
        var bytes = new byte[GroupBitmap.MaxBytes + sizeof(ulong)];
        Assert.Equal(GroupBitmap.MaxBytes, GroupBitmap.Write(bytes, words));
        var read = new ulong[GroupBitmap.Words];
        GroupBitmap.Read(bytes.AsSpan(0, GroupBitmap.MaxBytes), read, "pool", 0);
        Assert.Equal(words, read);
        Assert.Throws<CorruptDataException>(() => GroupBitmap.Read(bytes, read, "pool", 0));
        Assert.Throws<CorruptDataException>(() => GroupBitmap.Read(bytes.AsSpan(0, sizeof(uint)), read, "pool", 0));
    }

    [Fact]
    public void A_superblock_has_these_bytes()
    {
        var createdAt = DateTimeOffset.FromUnixTimeMilliseconds(0x0102030405);
        var superblock = new Superblock(Id, "main", 0x10002, createdAt) { StoreSequence = 0x0807060504030201 };
        var bytes = new byte[Superblock.SizeBytes];
        bytes.AsSpan().Fill(0xEE); // Whatever lay in the buffer is not written.
        superblock.Write(bytes);
        Assert.Equal(
            "4153484C504F4F4C" + "01000000" + "00000100" + "00112233445546778899AABBCCDDEEFF" + "0200010000000000" + "0504030201000000"
            + "04" + "6D61696E",
            Convert.ToHexString(bytes.AsSpan(0, 53)));
        Assert.False(bytes.AsSpan(53, 120 - 53).ContainsAnyExcept((byte)0));
        Assert.Equal("0102030405060708", Convert.ToHexString(bytes.AsSpan(120, 8)));
        Assert.False(bytes.AsSpan(128, Superblock.SizeBytes - 128 - 4).ContainsAnyExcept((byte)0));
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(0, 4092)), BitConverter.ToUInt32(bytes, 4092));
        Assert.Equal(superblock, Superblock.Read(bytes, "device", 0));
    }

    [Fact]
    public void A_delta_of_a_leaf_has_these_bytes()
    {
        var map = new LeafMap();
        map.Entries[1] = new ChunkEntry { Chunk = 3, Birth = 1, Valid = 0b101 };
        map.Entries[15] = new ChunkEntry { Chunk = 2, Birth = 1, Valid = ushort.MaxValue };
        (map.Checksums[16], map.Checksums[18], map.Checksums[255]) = (0x11223344, 0xAABBCCDD, 0x01020304);
        var blocks = default(BlockSet);
        blocks.Add(18);
        blocks.Add(255);
        var bytes = new byte[LeafDelta.MaxBytes];
        var delta = bytes.AsSpan(0, LeafDelta.Write(bytes, blocks, map.Checksums, 0x55667788));
        Assert.Equal("0102" + "88776655" + "12DDCCBBAA" + "FF04030201", Convert.ToHexString(delta));

        var read = new LeafMap();
        map.Entries.CopyTo(read.Entries, 0);
        var applied = LeafDelta.Apply(delta, read, 0x55667788, "pool", 0);
        Assert.Equal([18, 255], Enumerable.Range(0, MapLayout.BlocksPerLeaf).Where(block => applied.Contains(block)));
        Assert.Equal((0u, 0xAABBCCDDu, 0x01020304u), (read.Checksums[16], read.Checksums[18], read.Checksums[255]));
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("010288776655", "blocks that are not there")]
    [InlineData("010288776655" + "12DDCCBBAA" + "FF040302", "cut off")]
    [InlineData("010288776655" + "12DDCCBBAA" + "FF04030201" + "00", "a byte too many")]
    [InlineData("010088776655", "no block")]
    [InlineData("010188776654" + "12DDCCBBAA", "of another leaf")]
    [InlineData("010288776655" + "FF04030201" + "12DDCCBBAA", "blocks that do not ascend")]
    [InlineData("010288776655" + "12DDCCBBAA" + "12DDCCBBAA", "a block twice")]
    [InlineData("010188776655" + "11DDCCBBAA", "a block that holds no data")]
    public void A_delta_that_does_not_hold_together_is_damage(string hex, string what)
    {
        var map = new LeafMap();
        map.Entries[1] = new ChunkEntry { Chunk = 3, Birth = 1, Valid = 0b101 };
        map.Entries[15] = new ChunkEntry { Chunk = 2, Birth = 1, Valid = ushort.MaxValue };
        var refused = Record.Exception(() => LeafDelta.Apply(Convert.FromHexString(hex), map, 0x55667788, "pool", 0));
        Assert.True(refused is CorruptDataException, what);
    }

    [Fact]
    public void A_delta_of_a_later_version_is_refused() => Assert.Throws<UnsupportedFormatException>(
        () => LeafDelta.Apply(Convert.FromHexString("020188776655" + "12DDCCBBAA"), new LeafMap(), 0x55667788, "pool", 0));

    [Fact]
    public void Records_have_these_bytes()
    {
        var pool = new PoolRecord(Id, PoolState.Ready, 5, 2, BlockChecksum.Xxh3);
        const string id = "00112233445546778899AABBCCDDEEFF";
        Assert.Equal("06000000" + "02000000" + id + "0500000000000000" + "0200000000000000", Convert.ToHexString(pool.ToBytes()));
        Assert.Equal(pool, PoolRecord.Read(pool.ToBytes(), "pool"));
        foreach (var earlier in (byte[])[1, 2, 3, 4, 5])
        {
            var bytes = pool.ToBytes();
            bytes[0] = earlier;
            Assert.Equal(pool with { Checksum = BlockChecksum.Crc32C }, PoolRecord.Read(bytes, "pool"));
            Assert.Equal(5, PoolRecord.Read(bytes, "pool").ToBytes()[0]);
        }

        var volume = new VolumeRecord(Id, "db", VolumeState.Ready, true, 5, 1, 1 << 20, 512, DateTimeOffset.FromUnixTimeMilliseconds(1));
        Assert.Equal(
            "01000000" + "01" + "01" + "0000" + "0500000000000000" + "0100000000000000" + "0000100000000000" + "00020000"
            + "0100000000000000" + "6462",
            Convert.ToHexString(volume.ToBytes()));
        Assert.Equal(volume, VolumeRecord.Read(MapKeys.Volume(Id), volume.ToBytes(), "pool"));

        var resizing = volume with { State = VolumeState.Resizing, SizeBytes = 0 };
        Assert.Equal(
            "01000000" + "03" + "01" + "0000" + "0500000000000000" + "0100000000000000" + "0000000000000000" + "00020000"
            + "0100000000000000" + "6462",
            Convert.ToHexString(resizing.ToBytes()));
        Assert.Equal(resizing, VolumeRecord.Read(MapKeys.Volume(Id), resizing.ToBytes(), "pool"));
        var limited = volume with { Limits = new(500, 1 << 20) };
        Assert.Equal(
            "02000000" + "01" + "01" + "0000" + "0500000000000000" + "0100000000000000" + "0000100000000000" + "00020000"
            + "0100000000000000"
            + "F401000000000000" + "0000100000000000" + "6462",
            Convert.ToHexString(limited.ToBytes()));
        Assert.Equal(limited, VolumeRecord.Read(MapKeys.Volume(Id), limited.ToBytes(), "pool"));
        var requestsOnly = volume with { Limits = new(Iops: 1) };
        Assert.Equal(requestsOnly, VolumeRecord.Read(MapKeys.Volume(Id), requestsOnly.ToBytes(), "pool"));
        var unlimited = limited.ToBytes();
        unlimited.AsSpan(44, 16).Clear();
        Assert.Throws<CorruptDataException>(() => VolumeRecord.Read(MapKeys.Volume(Id), unlimited, "pool"));
        Assert.Throws<CorruptDataException>(() => VolumeRecord.Read(MapKeys.Volume(Id), limited.ToBytes().AsSpan(0, 60), "pool"));
        var newer = limited.ToBytes();
        newer[0] = 4;
        Assert.Throws<UnsupportedFormatException>(() => VolumeRecord.Read(MapKeys.Volume(Id), newer, "pool"));
        var unknown = volume.ToBytes();
        unknown[4] = 4;
        Assert.Throws<CorruptDataException>(() => VolumeRecord.Read(MapKeys.Volume(Id), unknown, "pool"));
    }

    [Fact]
    public void A_volume_with_attributes_or_in_the_trash_has_these_bytes()
    {
        var plain = new VolumeRecord(Id, "db", VolumeState.Ready, true, 5, 1, 1 << 20, 512, DateTimeOffset.FromUnixTimeMilliseconds(1));
        var labels = VolumeAttributes.None.Labels.Add("b", "").Add("a/1", "\u00e9");
        var full = plain with
        {
            Trashed = (DateTimeOffset.FromUnixTimeMilliseconds(2), DateTimeOffset.FromUnixTimeMilliseconds(3)),
            Attributes = new() { Description = "x y", Labels = labels, TrashRetention = TimeSpan.FromMilliseconds(4) },
        };
        Assert.Equal(
            "03000000" + "01" + "07" + "0000" + "0500000000000000" + "0100000000000000" + "0000100000000000" + "00020000"
            + "0100000000000000" + "0000000000000000" + "0000000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000"
            + "0200" + "6462"
            + "0300" + "782079" + "02" + "03" + "612F31" + "02" + "C3A9" + "01" + "62" + "00",
            Convert.ToHexString(full.ToBytes()));
        VolumeRecord[] all =
        [
            full, full with { Attributes = VolumeAttributes.None }, plain with { Attributes = full.Attributes },
            plain with { Attributes = new() { TrashRetention = TimeSpan.Zero } }, full with { Limits = new(500, 1 << 20) },
        ];
        foreach (var record in all) Assert.Equal(record, VolumeRecord.Read(MapKeys.Volume(Id), record.ToBytes(), "pool"));
    }

    [Theory]
    [InlineData(60, 1, "a time there without the flag")] // Not in the trash.
    [InlineData(76, 1, "a time without the flag")]
    [InlineData(84, 255, "a name beyond the end")]
    [InlineData(84, 0, "no name")]
    [InlineData(88, 255, "a description beyond the end")]
    [InlineData(90, 0x01, "a control character")]
    [InlineData(90, 0xff, "not UTF-8")]
    [InlineData(92, 0, "bytes beyond the last label")]
    [InlineData(92, 3, "a third label that is not there")]
    [InlineData(98, 0x60, "keys that do not ascend")]
    public void Attributes_that_cannot_be_are_damage(int offset, byte value, string what)
    {
        var bytes = (new VolumeRecord(Id, "db", VolumeState.Ready, false, 5, 1, 512, 512, DateTimeOffset.UnixEpoch) with
        {
            Attributes = new() { Description = "xy", Labels = VolumeAttributes.None.Labels.Add("a", "1").Add("b", "2") },
        }).ToBytes();
        Assert.NotNull(VolumeRecord.Read(MapKeys.Volume(Id), bytes, "pool"));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<CorruptDataException>(() => VolumeRecord.Read(MapKeys.Volume(Id), bytes.AsSpan(0, length), "pool"));
        bytes[offset] = value;
        Assert.True(Record.Exception(() => VolumeRecord.Read(MapKeys.Volume(Id), bytes, "pool")) is CorruptDataException, what);
    }

    [Fact]
    public void Keys_have_these_bytes_and_the_newest_generation_of_a_leaf_comes_first()
    {
        var key = new byte[MapKeys.LeafBytes];
        MapKeys.WriteLeaf(key, 1, 2);
        Assert.Equal("4C" + "0000000000000001" + "0000000000000002" + "FFFFFFFFFFFFFFFE", Convert.ToHexString(key));
        var kept = MapKeys.OldLeaf(1, 2, 3);
        Assert.Equal("48" + "0000000000000001" + "0000000000000002" + "FFFFFFFFFFFFFFFC", Convert.ToHexString(kept));
        Assert.Equal((1L, 2L, 3L), MapKeys.ReadLeaf(kept));
        Assert.True(MapKeys.OldLeaf(1, 2, 4).AsSpan().SequenceCompareTo(kept) < 0);
        Assert.True(MapKeys.OldLeaf(1, 2, 1).AsSpan().SequenceCompareTo(MapKeys.OldLeavesEnd(1, 2)) < 0);
        Assert.True(MapKeys.OldLeaf(1, 3, long.MaxValue).AsSpan().SequenceCompareTo(MapKeys.OldLeavesEnd(1, 2)) > 0);
        Assert.Equal("47" + "0000000000000001" + "0000000000000003" + "0000000000000002", Convert.ToHexString(MapKeys.Change(1, 3, 2)));
        Assert.Equal("43" + "0000000000000001" + "0000000000000003", Convert.ToHexString(MapKeys.Snapshot(1, 3)));
        Assert.Equal("46" + "0000000000000009", Convert.ToHexString(MapKeys.FragmentPage(9)));
        Assert.Equal("41" + "0000000000000009", Convert.ToHexString(MapKeys.Parent(9)));
        Assert.Equal("4B" + "0000000000000001" + "0000000000000009", Convert.ToHexString(MapKeys.Delta(1, 9)));
        Assert.Equal("4D" + "0000000000000001" + "0000000000000009", Convert.ToHexString(MapKeys.Marker(1, 9)));
        Assert.Equal("42" + "0000000000000009", Convert.ToHexString(MapKeys.Bitmap(9)));
        Assert.Equal("55" + "0000000000000001", Convert.ToHexString(MapKeys.Usage(1)));
        Assert.Equal("53", Convert.ToHexString(MapKeys.DeviceChunks));
        Assert.Equal("52", Convert.ToHexString(MapKeys.MayHaveLeaked));
        Assert.Equal("54", Convert.ToHexString(MapKeys.TrashRetention));
        Assert.Equal("56" + "00112233445546778899AABBCCDDEEFF", Convert.ToHexString(MapKeys.Volume(Id)));
    }

    [Fact]
    public void A_marker_has_these_bytes()
    {
        var blocks = default(BlockSet);
        blocks.Add(0);
        blocks.Add(17);
        blocks.Add(18);
        blocks.Add(255);
        var bytes = new byte[MarkerFormat.MaxBytes];
        var length = MarkerFormat.Write(bytes, blocks);
        Assert.Equal("0380" + "0100" + "0600" + "0080", Convert.ToHexString(bytes.AsSpan(0, length)));
        var read = MarkerFormat.Read(bytes.AsSpan(0, length), "pool", 0);
        Assert.True(read.Contains(blocks) && blocks.Contains(read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("0000")]
    [InlineData("0100")]
    [InlineData("01000000")]
    [InlineData("010001")]
    [InlineData("010001000100")]
    [InlineData("03000100")]
    public void Bytes_that_are_no_marker_are_damage(string bytes) =>
        Assert.Throws<CorruptDataException>(() => { MarkerFormat.Read(Convert.FromHexString(bytes), "pool", 0); });

    [Fact]
    public void A_page_of_fragment_chunks_has_these_bytes()
    {
        var page = new FragmentPage();
        page.Set(3, 0x8001, 0x0102_0304_0506);
        page.Set(63, 1, 7);
        page.Set(5, 0, 7);
        var bytes = new byte[FragmentPage.MaxBytes];
        var length = page.Write(bytes);
        Assert.Equal(
            "0102" + "03" + "0180" + "060504030201" + "3F" + "0100" + "070000000000", Convert.ToHexString(bytes.AsSpan(0, length)));
        var read = FragmentPage.Read(bytes.AsSpan(0, length), "pool", 9);
        Assert.Equal((0x8001, 0x0102_0304_0506, 1, 0), (read.BlocksOf(3), read.LineageOf(3), read.BlocksOf(63), read.BlocksOf(5)));
        Assert.Equal(0, new FragmentPage().Write(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0100")]
    [InlineData("0101030180")]
    [InlineData("0101030000070000000000")]
    [InlineData("0101400100070000000000")]
    [InlineData("0102030100070000000000030100070000000000")]
    public void Bytes_that_are_no_page_of_fragment_chunks_are_damage(string bytes) =>
        Assert.Throws<CorruptDataException>(() => FragmentPage.Read(Convert.FromHexString(bytes), "pool", 0));

    [Fact]
    public void A_range_that_is_out_of_use_has_these_bytes()
    {
        var range = new BarredRange(5, 16, BarredState.Gone);
        var (key, bytes) = (MapKeys.BarredFrom(5), range.ToBytes());
        Assert.Equal("59" + "0000000000000005", Convert.ToHexString(key));
        Assert.Equal("01000000" + "02" + "000000" + "1000000000000000", Convert.ToHexString(bytes));
        Assert.Equal(range, BarredRange.Read(key, bytes, "pool"));
        Assert.Throws<CorruptDataException>(() => BarredRange.Read(key, bytes.AsSpan(0, 15), "pool"));
        Assert.Throws<CorruptDataException>(() => BarredRange.Read(MapKeys.BarredFrom(1), bytes, "pool"));
        Assert.Throws<CorruptDataException>(
            () => BarredRange.Read(key, new BarredRange(5, long.MaxValue, BarredState.Gone).ToBytes(), "pool"));
        Assert.Throws<CorruptDataException>(() => BarredRange.Read(key, new BarredRange(5, 1, (BarredState)3).ToBytes(), "pool"));
        bytes[0] = 2;
        Assert.Throws<UnsupportedFormatException>(() => BarredRange.Read(key, bytes, "pool"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_checksum_at_another_place_follows_from_the_one_that_it_was(bool isXxh3)
    {
        var checksum = isXxh3 ? BlockChecksum.Xxh3 : BlockChecksum.Crc32C;
        var block = new byte[MapLayout.BlockBytes];
        new Random(1).NextBytes(block);
        var moved = checksum.Move(checksum.Compute(block, 77, 3), 77, 0x1234_5678_9ABC, 3);
        Assert.Equal(checksum.Compute(block, 0x1234_5678_9ABC, 3), moved);
    }

    // As directories of ext4 do; with a CRC an older content of a place passes for the newer.
    [Fact]
    public void Blocks_that_end_with_their_own_CRC_have_checksums_of_their_own()
    {
        var blocks = Enumerable.Range(1, 100).Select(CrashedPool.Sealed).ToArray();
        Assert.Single(blocks.Select(static block => BlockChecksum.Crc32C.Compute(block, 77, 3)).Distinct());
        Assert.Equal(100, blocks.Select(static block => BlockChecksum.Xxh3.Compute(block, 77, 3)).Distinct().Count());
    }

    [Fact]
    public void The_origin_of_a_clone_has_these_bytes()
    {
        var bytes = new VolumeParent(3, 5).ToBytes();
        Assert.Equal("01000000" + "0300000000000000" + "0500000000000000", Convert.ToHexString(bytes));
        Assert.Equal(new VolumeParent(3, 5), VolumeParent.Read(bytes, "pool"));
        Assert.Throws<CorruptDataException>(() => VolumeParent.Read(bytes.AsSpan(0, 19), "pool"));
        Assert.Throws<CorruptDataException>(() => VolumeParent.Read(new VolumeParent(3, 0).ToBytes(), "pool"));
        bytes[0] = 2;
        Assert.Throws<UnsupportedFormatException>(() => VolumeParent.Read(bytes, "pool"));
    }

    [Theory]
    [InlineData(true, 0x1ECC_84C7u)]
    [InlineData(false, 0x9E94_1175u)]
    public void A_checksum_knows_its_place_and_its_birth(bool isXxh3, uint expected)
    {
        var checksum = isXxh3 ? BlockChecksum.Xxh3 : BlockChecksum.Crc32C;
        var block = new byte[MapLayout.BlockBytes];
        Assert.Equal(expected, checksum.Compute(block, (5 * 16) + 3, 1));
        Assert.NotEqual(expected, checksum.Compute(block, (5 * 16) + 4, 1));
        Assert.NotEqual(expected, checksum.Compute(block, (6 * 16) + 3, 1));
        Assert.NotEqual(expected, checksum.Compute(block, (5 * 16) + 3, 2));
        block[0] = 1; // What a block that cannot be moved gets for content that must not match.
        Assert.NotEqual(expected, checksum.Compute(block, (5 * 16) + 3, 1));
    }
}
