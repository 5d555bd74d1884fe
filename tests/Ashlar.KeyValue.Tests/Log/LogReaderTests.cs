using Ashlar.Storage;

namespace Ashlar.KeyValue.Tests;

public sealed class LogReaderTests
{
    static SegmentWriter Three => new SegmentWriter().Append("one").Append("two", "three").Append("four");

    [Fact]
    public void A_group_that_was_committed_before_the_one_it_follows_is_damage()
    {
        var log = new SegmentWriter().At(5).Append("a").At(5).Append("b");
        Assert.Equal(5, log.Read().Result.LastCommitTime);
        Assert.Throws<CorruptDataException>(() => log.At(4).Append("c").Read());
    }

    [Fact]
    public void A_new_segment_is_empty() => Assert.Equal("", new SegmentWriter().Recover());

    [Fact]
    public void Groups_are_read_in_order() => Assert.Equal("1:one 2:two 3:three 4:four", Three.Recover());

    [Fact]
    public void A_tail_of_zeros_ends_the_log() =>
        Assert.Equal("1:one 2:two 3:three 4:four", Three.AppendRaw(new byte[5000]).Recover());

    [Fact]
    public void A_tail_of_rubbish_ends_the_log() =>
        Assert.Equal("1:one 2:two 3:three 4:four", Three.AppendRaw([.. Enumerable.Range(0, 777).Select(i => (byte)(i * 7))]).Recover());

    [Fact]
    public void A_last_group_that_is_cut_anywhere_is_dropped_as_a_whole()
    {
        var whole = Three;
        // Behind the body there are zeros up to the next multiple of 8, which nobody misses.
        for (var length = whole.StartOf(2); length < whole.End.EndOffset - 7; length++)
            Assert.Equal("1:one 2:two 3:three", Three.CutTo(length).Recover());
    }

    [Fact]
    public void A_last_group_that_is_damaged_anywhere_is_dropped_as_a_whole()
    {
        var start = Three.StartOf(2);
        for (var offset = start; offset < start + LogGroupHeader.SizeBytes + LogEntry.HeaderBytes + 8; offset++)
            Assert.Equal("1:one 2:two 3:three", Three.Flip(offset).Recover());
    }

    [Fact]
    public void Unsynced_groups_behind_a_torn_one_are_dropped_because_the_disk_may_reorder() =>
        Assert.Equal("1:one", Three.Flip(Three.StartOf(1) + 80).Recover());

    [Theory, InlineData(80), InlineData(20)]
    public void Sequences_of_groups_behind_a_torn_one_are_seen_so_that_none_is_given_out_again(int damagedByte)
    {
        var result = Three.Flip(Three.StartOf(1) + damagedByte).Read().Result;
        Assert.Equal((1UL, 4UL), (result.LastSequence, result.SeenSequence));
    }

    [Fact]
    public void A_damaged_group_before_one_that_was_written_after_a_sync_is_corruption()
    {
        var log = new SegmentWriter().Append("one").Append("two").Sync().Append("three");
        var error = Assert.Throws<CorruptDataException>(() => log.Flip(log.StartOf(1) + 80).Recover());
        Assert.Equal(log.StartOf(1), error.OffsetBytes);
        Assert.Equal(SegmentWriter.Path, error.FilePath);
    }

    [Fact]
    public void A_damaged_head_before_one_that_was_written_after_a_sync_is_corruption()
    {
        for (var at = 0; at < LogGroupHeader.SizeBytes; at++)
        {
            var log = new SegmentWriter().Append("one").Append("two").Sync().Append("three");
            Assert.Throws<CorruptDataException>(() => log.Flip(log.StartOf(1) + at).Recover());
        }
    }

    [Fact]
    public void Damage_anywhere_in_a_sealed_segment_is_corruption()
    {
        var length = new SegmentWriter().Append("one").Append("two").Seal().StartOf(2);
        for (var offset = (long)LogSegmentHeader.SizeBytes; offset < length; offset++)
        {
            var log = new SegmentWriter().Append("one").Append("two").Seal().Flip(offset);
            var isPadding = (offset >= log.StartOf(1) - 2 && offset < log.StartOf(1)) || offset >= length - 2;
            if (isPadding) Assert.Equal("1:one 2:two", log.Recover());
            else Assert.Throws<CorruptDataException>(() => log.Recover());
        }
    }

    [Fact]
    public void A_seal_ends_the_segment()
    {
        var (found, result) = new SegmentWriter().Append("one").Seal().AppendRaw(new byte[100]).Read();
        Assert.Equal("1:one", found);
        Assert.True(result.IsSealed);
    }

    [Fact]
    public void Groups_of_another_segment_are_not_taken_for_ones_of_this()
    {
        var other = new SegmentWriter(id: 8, nonce: 99).Append("one").Append("stale");
        var log = new SegmentWriter().Append("one");
        Assert.Equal("1:one", log.AppendRaw(other.Bytes.AsSpan((int)other.StartOf(1))).Recover());
    }

    [Fact]
    public void Groups_of_an_earlier_use_of_the_number_are_not_taken_for_new_ones()
    {
        var other = new SegmentWriter(id: 7, nonce: 98).Append("one").Append("stale");
        var log = new SegmentWriter().Append("one");
        Assert.Equal("1:one", log.AppendRaw(other.Bytes.AsSpan((int)other.StartOf(1))).Recover());
    }

    [Fact]
    public void An_image_of_this_very_log_inside_a_value_proves_nothing()
    {
        // The value holds a later, "durable" group of this segment: a torn group before it must still be a torn tail.
        var image = new SegmentWriter().Append("one").Sync().Append("two").Sync().Append("three").Bytes;
        var batch = new WriteBatch();
        batch.Put("key"u8, image);
        var log = new SegmentWriter().Append(batch);
        Assert.Equal("", log.Flip(log.StartOf(0) + 80).Recover());
    }

    [Fact]
    public void Sequences_that_go_back_are_corruption()
    {
        var log = new SegmentWriter().Append("one", "two").SkipTo(2).Append("again");
        Assert.Throws<CorruptDataException>(() => log.Recover());
    }

    [Fact]
    public void Sequences_at_or_below_the_segment_before_are_corruption() =>
        Assert.Throws<CorruptDataException>(() => new SegmentWriter().Append("one").Read(lastSequence: 1));

    [Fact]
    public void A_segment_that_the_manifest_ends_is_read_to_that_end()
    {
        var log = new SegmentWriter().Append("one").Append("two");
        var end = log.End;
        Assert.Equal("1:one 2:two", log.Append("never acknowledged").Read(end).Found);
    }

    [Fact]
    public void A_segment_that_ends_before_the_manifest_says_so_is_corruption()
    {
        var end = Three.End;
        Assert.Throws<CorruptDataException>(() => Three.CutTo(Three.StartOf(2)).Read(end));
        Assert.Throws<CorruptDataException>(() => Three.Flip(Three.StartOf(1) + 80).Read(end));
    }

    [Fact]
    public void A_segment_that_ends_with_another_group_than_the_manifest_says_is_corruption() =>
        Assert.Throws<CorruptDataException>(() => Three.Read(Three.End with { HeaderCrc = 1 }));

    [Fact]
    public void A_seal_before_the_end_that_the_manifest_says_is_corruption()
    {
        var log = new SegmentWriter().Append("one").Seal().Append("two");
        Assert.Throws<CorruptDataException>(() => log.Read(log.End));
    }

    [Fact]
    public void A_torn_group_uses_up_its_sequences()
    {
        var (_, result) = Three.Flip(Three.StartOf(2) + 80).Read();
        Assert.Equal(3UL, result.LastSequence);
        Assert.True(result.SeenSequence >= 4);
    }

    [Fact]
    public void A_length_that_lies_allocates_nothing()
    {
        var log = new SegmentWriter();
        var segment = new LogSegmentHeader(SegmentWriter.StoreId, 7, 99);
        var head = new byte[LogGroupHeader.SizeBytes];
        new LogGroupHeader(7, 99, LogSegmentHeader.SizeBytes, 1, int.MaxValue, 1, 0, 0, 0, LogGroupKind.Entries, 0).Write(head, segment.Seed);
        log.AppendRaw(head);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("", log.Recover());
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void A_head_of_a_later_version_is_refused_as_such()
    {
        var head = new byte[LogSegmentHeader.SizeBytes];
        new LogSegmentHeader(SegmentWriter.StoreId, 7, 99).Write(head);
        head[8] = 2;
        var crc = Crc32C.Append(Crc32C.Compute(head.AsSpan(0, 12)), head.AsSpan(16));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), crc);
        Assert.Contains("version 2", Assert.Throws<UnsupportedFormatException>(() => LogSegmentHeader.Read(head, "/log")).Message, StringComparison.Ordinal);
    }
}
