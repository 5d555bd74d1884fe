using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

/// <summary>
/// The bytes of every format, as docs/formats shows them. A test that fails here means: old stores cannot be read
/// any more. Add a version instead.
/// </summary>
public sealed class GoldenBytesTests
{
    static readonly Guid StoreId = SegmentWriter.StoreId;

    static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    [Fact]
    public void Log_entry()
    {
        var bytes = new byte[16 + 3 + 5];
        LogEntry.Write(bytes, EntryKind.Put, "key"u8, "value"u8);
        Assert.Equal(Golden.LogEntry, Hex(bytes));
        Assert.True(LogEntry.TryReadChecked(bytes, out var entry));
        Assert.Equal((EntryKind.Put, 3, 5, 24), (entry.Kind, entry.KeyLength, entry.ValueLength, entry.SizeBytes));
    }

    [Fact]
    public void Log_entry_that_expires()
    {
        var batch = new WriteBatch();
        batch.Put("key"u8, "value"u8, DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000));
        Assert.Equal(Golden.ExpiringLogEntry, Hex(batch.Entries));
        Assert.True(LogEntry.TryReadChecked(batch.Entries, out var entry));
        Assert.Equal((EntryKind.ExpiringPut, 3, 13, 32), (entry.Kind, entry.KeyLength, entry.ValueLength, entry.SizeBytes));
        var stored = entry.ValueIn(batch.Entries);
        Assert.Equal("value"u8, stored[Expiry.SizeBytes..]);
        Assert.False(Expiry.HasPassed(entry.Kind, stored, 1_799_999_999_999));
        Assert.True(Expiry.HasPassed(entry.Kind, stored, 1_800_000_000_000));
    }

    [Fact]
    public void Log_segment_header()
    {
        var bytes = new byte[LogSegmentHeader.SizeBytes];
        var header = new LogSegmentHeader(StoreId, 7, 0x0102030405060708);
        header.Write(bytes);
        Assert.Equal(Golden.LogSegmentHeader, Hex(bytes));
        Assert.Equal(header, LogSegmentHeader.Read(bytes, "/log"));
    }

    [Fact]
    public void Log_segment_header_that_says_what_was_reserved()
    {
        var bytes = new byte[LogSegmentHeader.SizeBytes];
        var header = new LogSegmentHeader(StoreId, 7, 0x0102030405060708, 4 << 20);
        header.Write(bytes);
        Assert.Equal(Golden.ReservedLogSegmentHeader, Hex(bytes));
        Assert.Equal(header, LogSegmentHeader.Read(bytes, "/log"));
    }

    [Fact]
    public void Log_group_header()
    {
        var segment = new LogSegmentHeader(StoreId, 7, 0x0102030405060708);
        var bytes = new byte[LogGroupHeader.SizeBytes];
        var header = new LogGroupHeader(
            7, segment.Nonce, 64, 42, 24, 1, 64, 0xAABBCCDD, 0x11223344, LogGroupKind.Entries, 1_800_000_000_000_001);
        var crc = header.Write(bytes, segment.Seed);
        Assert.Equal(Golden.LogGroupHeader, Hex(bytes));
        Assert.True(LogGroupHeader.TryRead(bytes, segment, segment.Seed, 64, out var read, out var readCrc));
        Assert.Equal((header, crc), (read, readCrc));
        Assert.Equal(168, header.EndOffset);
    }

    [Fact]
    public void Record_of_a_moved_value()
    {
        var seed = new LogSegmentHeader(StoreId, 7, 0x0102030405060708).Seed;
        var bytes = new byte[MovedRecordHeader.SizeBytes + 24];
        LogEntry.Write(bytes.AsSpan(MovedRecordHeader.SizeBytes), EntryKind.Put, "key"u8, "value"u8);
        MovedRecordHeader.Write(bytes, 42, 64, seed, bytes.AsSpan(MovedRecordHeader.SizeBytes, LogEntry.HeaderBytes));
        Assert.Equal(Golden.MovedRecord, Hex(bytes));
        Assert.True(MovedRecordHeader.TryRead(bytes, 64, seed, out var header));
        Assert.Equal(42UL, header.Sequence);
        Assert.False(MovedRecordHeader.TryRead(bytes, 72, seed, out _)); // Elsewhere it does not hold,
        Assert.False(MovedRecordHeader.TryRead(bytes, 64, seed + 1, out _)); // nor in another segment.
    }

    [Fact]
    public void Table_block()
    {
        var place = new ValuePlace(7, 155, 5, Crc32C.Compute("value"u8));
        var stored = new byte[ValuePlace.EncodedBytes];
        place.Write(stored);
        var builder = new BlockBuilder();
        builder.Add(EntryKind.PutInLog, "key a"u8, 300, stored);
        builder.Add(EntryKind.Put, "key b"u8, 9, "xyz"u8);
        builder.Add(EntryKind.Delete, "key c"u8, 8, default);
        var seed = TableFooter.Seed(StoreId, 3);
        var bytes = builder.Finish(seed, 4096, out var handle).ToArray();
        Assert.Equal(Golden.TableBlock, Hex(bytes));
        var buffer = new BlockBuffer();
        var block = buffer.Load(bytes, handle, seed, "/table");
        Assert.Equal(3, block.Count);
        Assert.Equal("key b"u8.ToArray(), block.KeyAt(1));
        Assert.Equal(place, block.PlaceAt(0));
        Assert.Equal("xyz"u8.ToArray(), block.InlineAt(1).ToArray());
        Assert.Equal((EntryKind.Delete, 8UL), (block.KindAt(2), block.SequenceAt(2)));
        GC.KeepAlive(buffer); // Owns the memory that the block points into.
    }

    [Fact]
    public void Table_footer()
    {
        var bytes = new byte[TableFooter.SizeBytes];
        var footer = new TableFooter(StoreId, 3, new BlockHandle(0x100, 0x50, 0xA1A2A3A4), 2, 8, 9, 0x1D0);
        var crc = footer.Write(bytes);
        Assert.Equal(Golden.TableFooter, Hex(bytes));
        Assert.Equal(footer, TableFooter.Read(bytes, "/table", 0, out var readCrc));
        Assert.Equal(crc, readCrc);
    }

    [Fact]
    public void Table_footer_of_the_first_version()
    {
        var bytes = Convert.FromHexString(Golden.FirstVersionTableFooter);
        var footer = new TableFooter(StoreId, 3, new BlockHandle(0x100, 0x50, 0xA1A2A3A4), 2, 8, 9, 0x1D0)
        {
            Version = TableFooter.FirstVersion,
        };
        Assert.Equal(footer, TableFooter.Read(bytes, "/table", 0, out _));
        footer.Write(bytes);
        Assert.Equal(Golden.FirstVersionTableFooter, Hex(bytes));
    }

    [Fact]
    public void Table_partition_handle()
    {
        var bytes = new byte[PartitionHandle.EncodedBytes];
        var handle = new PartitionHandle(new BlockHandle(0x100, 0x50, 0xA1A2A3A4), new BlockHandle(0x150, 72, 0xB1B2B3B4));
        handle.Write(bytes);
        Assert.Equal("000100000000000050000000a4a3a2a1500100000000000048000000b4b3b2b1", Hex(bytes));
        Assert.Equal(handle, PartitionHandle.Read(bytes));
    }

    [Fact]
    public void Bloom_filter()
    {
        var filter = BloomFilter.Build([KeyHash.Compute("a"u8), KeyHash.Compute("a longer key"u8)]);
        BloomFilter.Finish(filter, TableFooter.Seed(StoreId, 3), 128);
        Assert.Equal(Golden.BloomFilter, Hex(filter));
    }

    [Fact]
    public void Manifest_header_and_record()
    {
        var head = new byte[ManifestHeader.SizeBytes];
        new ManifestHeader(StoreId).Write(head);
        Assert.Equal(Golden.ManifestHeader, Hex(head));
        var record = new byte[ManifestRecordHeader.SizeBytes];
        var header = new ManifestRecordHeader(2, 32, 9, 0xC1C2C3C4);
        header.Write(record, ManifestRecordHeader.Seed(StoreId));
        Assert.Equal(Golden.ManifestRecordHeader, Hex(record));
        Assert.True(ManifestRecordHeader.TryRead(record, 32, ManifestRecordHeader.Seed(StoreId), out var read));
        Assert.Equal(header, read);
    }

    [Fact]
    public void Manifest_edit()
    {
        var edit = new ManifestEdit
        {
            ObsoleteThroughLog = 4,
            NextFileId = 9,
            LastSequence = 77,
            Closed = true,
            LastCommitTime = 1_800_000_000_000_001,
        };
        edit.AddedTables.Add(new TableInfo(5, 1, 0x1234, 0xD1D2D3D4, 10, 11, 77, "a"u8.ToArray(), "zz"u8.ToArray()));
        edit.RemovedTables.Add(2);
        edit.AddedLogs.Add(new LogInfo(6, 0x0102030405060708, 4, 640, 0xE1E2E3E4));
        var bytes = edit.Encode();
        Assert.Equal(Golden.ManifestEdit, Hex(bytes));
        Assert.Equal(Golden.ManifestEdit, Hex(ManifestEdit.Decode(bytes, "/MANIFEST", 0).Encode()));
    }

    [Fact]
    public void Tombstones_of_a_table_follow_it_in_the_manifest()
    {
        var edit = new ManifestEdit();
        var table = new TableInfo(5, 1, 0x1234, 0xD1D2D3D4, 10, 11, 77, "a"u8.ToArray(), "zz"u8.ToArray());
        edit.AddedTables.Add(table with { TombstoneCount = 3 });
        var bytes = edit.Encode();
        Assert.EndsWith("0A05000000000000000300000000000000", Hex(bytes), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(3, ManifestEdit.Decode(bytes, "/MANIFEST", 0).AddedTables[0].TombstoneCount);
        bytes[^8] = 11; // More tombstones than entries.
        Assert.Throws<CorruptDataException>(() => ManifestEdit.Decode(bytes, "/MANIFEST", 0));
    }

    [Fact]
    public void Range_delete_in_the_log()
    {
        var bytes = new byte[LogEntry.HeaderBytes + 3];
        LogEntry.Write(bytes, EntryKind.RangeDelete, "a"u8, "bb"u8);
        Assert.Equal(Golden.RangeDeleteLogEntry, Hex(bytes), ignoreCase: true);
        Assert.True(LogEntry.TryReadChecked(bytes, out var entry));
        Assert.Equal((EntryKind.RangeDelete, 1, 2), (entry.Kind, entry.KeyLength, entry.ValueLength));
        LogEntry.Write(bytes, EntryKind.RangeDelete, "bb"u8, "a"u8);
        Assert.False(LogEntry.TryReadChecked(bytes, out _)); // It ends before it begins.
    }

    [Fact]
    public void Manifest_edit_with_deleted_ranges()
    {
        const string Expected =
            "010500000000000000013412000000000000d4d3d2d10a000000000000000b000000000000004d0000000000000001006102007a7a"
            + "1305000000000000004c00000000000000" + "100100000000000000" + "114e0000000000000001006102006262"
            + "114f000000000000000100630000" + "124c00000000000000";
        var edit = new ManifestEdit { Features = StoreFeatures.RangeDeletes };
        edit.AddedTables.Add(new TableInfo(5, 1, 0x1234, 0xD1D2D3D4, 10, 11, 77, "a"u8.ToArray(), "zz"u8.ToArray())
        {
            RangesAppliedThrough = 76,
        });
        edit.AddedRanges.Add(new RangeTombstone("a"u8.ToArray(), "bb"u8.ToArray(), 78));
        edit.AddedRanges.Add(new RangeTombstone("c"u8.ToArray(), null, 79));
        edit.RetiredRanges.Add(76);
        var bytes = edit.Encode();
        Assert.Equal(Expected, Hex(bytes), ignoreCase: true);
        Assert.Equal(Expected, Hex(ManifestEdit.Decode(bytes, "/MANIFEST", 0).Encode()), ignoreCase: true);
    }

    [Fact]
    public void Expiries_of_a_table_follow_it_in_the_manifest()
    {
        var edit = new ManifestEdit();
        var table = new TableInfo(5, 1, 0x1234, 0xD1D2D3D4, 10, 11, 77, "a"u8.ToArray(), "zz"u8.ToArray());
        edit.AddedTables.Add(table with { Expiry = new TableExpiry(7, [1, 2, 3, 4, 5, 6, 7, 8, 9]) });
        var bytes = edit.Encode();
        var moments = string.Concat(Enumerable.Range(1, 9).Select(moment => $"0{moment}00000000000000"));
        Assert.EndsWith($"0F05000000000000000700000000000000{moments}", Hex(bytes), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(edit.AddedTables[0].Expiry, ManifestEdit.Decode(bytes, "/MANIFEST", 0).AddedTables[0].Expiry);
        bytes[^8] = 7; // Ends before it has gone on.
        Assert.Throws<CorruptDataException>(() => ManifestEdit.Decode(bytes, "/MANIFEST", 0));
        (bytes[^8], bytes[^80]) = (9, 11); // More than there are entries.
        Assert.Throws<CorruptDataException>(() => ManifestEdit.Decode(bytes, "/MANIFEST", 0));
    }

    [Fact]
    public void Value_place()
    {
        var place = new ValuePlace(7, 155, 5, 0xE1E00363);
        var bytes = new byte[ValuePlace.EncodedBytes];
        place.Write(bytes);
        Assert.Equal(Golden.ValuePlace, Hex(bytes));
        Assert.Equal(place, ValuePlace.Read(EntryKind.PutInLog, bytes));
    }

    [Fact]
    public void Manifest_edit_with_separated_values()
    {
        var edit = new ManifestEdit();
        edit.AddedTables.Add(new TableInfo(5, 1, 0x1234, 0xD1D2D3D4, 10, 11, 77, "a"u8.ToArray(), "zz"u8.ToArray())
        {
            References = [new(4, 0x1000, 3), new(6, 0x2000, 7)],
        });
        edit.AddedSegments.Add(new ValueSegmentInfo(4, 0x0102030405060708, SegmentOrigin.Log, 640));
        var bytes = edit.Encode();
        Assert.Equal(Golden.ManifestEditWithValues, Hex(bytes));
        Assert.Equal(Golden.ManifestEditWithValues, Hex(ManifestEdit.Decode(bytes, "/MANIFEST", 0).Encode()));
    }

    [Fact]
    public void Backup_record()
    {
        BackupFile[] files =
        [
            new(4660, 0xD1D2D3D4, "table-000005-a1a2a3a4-4660", "table-000005"),
            new(137, 0xE1E2E3E4, "manifest-000003", "MANIFEST"),
        ];
        var bytes = new BackupRecord(StoreId, 3, 1_800_000_000_000_000, 77, 1_800_000_000_000_001, files).Encode();
        Assert.Equal(Golden.BackupRecord, Hex(bytes));
        var read = BackupRecord.Decode(bytes, "/backup");
        Assert.Equal(files, read.Files);
        Assert.Equal((StoreId, 3UL, 77UL, 1_800_000_000_000_001), (read.StoreId, read.Number, read.Sequence, read.CommitTime));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<CorruptDataException>(() => BackupRecord.Decode(bytes.AsSpan(0, length), "/backup"));
    }

    [Fact]
    public void Head_of_a_part_of_an_archive()
    {
        var part = new ArchivePart
        {
            StoreId = StoreId,
            HistoryId = new Guid("ffeeddcc-bbaa-9988-7766-554433221100"),
            Number = 3,
            PreviousCrc = 0xC1C2C3C4,
            ContentCrc = 0xD1D2D3D4,
            SegmentId = 7,
            Nonce = 0x0102030405060708,
            From = 64,
            To = 640,
            AfterSequence = 41,
            FirstSequence = 42,
            LastSequence = 77,
            FirstCommitTime = 1_800_000_000_000_000,
            LastCommitTime = 1_800_000_000_000_001,
            WrittenAt = 1_800_000_000_000_002,
            EndHeadCrc = 0xE1E2E3E4,
        };
        var head = new byte[ArchivePart.HeadBytes];
        var encoded = part.Encode(head);
        Assert.Equal(Golden.ArchivePart, Hex(head));
        Assert.Equal("part-00000003-000007-0102030405060708", ArchiveDirectory.NameOf(part));
        Assert.Equal(encoded, ArchivePart.Decode(head, 152 + 576, "/part"));
        Assert.Throws<CorruptDataException>(() => ArchivePart.Decode(head, 152 + 575, "/part"));
        for (var length = 0; length < head.Length; length++)
            Assert.Throws<CorruptDataException>(() => ArchivePart.Decode(head.AsSpan(0, length), 152 + 576, "/part"));
    }

    [Fact]
    public void Manifest_edit_of_the_archive()
    {
        var edit = new ManifestEdit
        {
            ArchiveEnded = true,
            Archive = new ArchivePosition(4, 77, 3, 0xC1C2C3C4),
            HistoryId = new Guid("ffeeddcc-bbaa-9988-7766-554433221100"),
        };
        var bytes = edit.Encode();
        Assert.Equal(Golden.ManifestEditOfArchive, Hex(bytes));
        Assert.Equal(Golden.ManifestEditOfArchive, Hex(ManifestEdit.Decode(bytes, "/MANIFEST", 0).Encode()));
    }

    [Fact]
    public void A_manifest_payload_of_a_later_version_is_refused_as_such() =>
        Assert.Throws<UnsupportedFormatException>(() => ManifestEdit.Decode([200], "/MANIFEST", 0));

    [Fact]
    public void A_manifest_payload_that_ends_early_is_damage()
    {
        var edit = new ManifestEdit { LastSequence = 1 };
        edit.AddedTables.Add(new TableInfo(5, 1, 0x1234, 0, 10, 11, 77, "a"u8.ToArray(), "zz"u8.ToArray()));
        var bytes = edit.Encode();
        for (var length = 1; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            // Between two operations the payload may end; anywhere else it may not.
            if (length == bytes.Length - 9) Assert.NotNull(ManifestEdit.Decode(cut, "/MANIFEST", 0));
            else Assert.Throws<CorruptDataException>(() => ManifestEdit.Decode(cut, "/MANIFEST", 0));
        }
    }
}
