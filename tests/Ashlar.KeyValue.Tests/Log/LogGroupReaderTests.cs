namespace Ashlar.KeyValue.Tests;

public sealed class LogGroupReaderTests
{
    const int Body = LogGroupHeader.SizeBytes;
    const int Key = Body + LogEntry.HeaderBytes;

    static SegmentWriter Two => new SegmentWriter().At(5).Append("first").Append("two", "three");

    [Fact]
    public void Groups_that_hold_are_read_in_order()
    {
        foreach (var policy in Enum.GetValues<LogReadPolicy>())
            Assert.Equal("None@64 None@176 Head@304", Read(Two, policy));
    }

    [Theory]
    [InlineData(0, LogGroupFault.Head)]
    [InlineData(40, LogGroupFault.Head)]
    [InlineData(Body, LogGroupFault.Entry)]
    [InlineData(Key, LogGroupFault.Entry)]
    [InlineData(Key + 3, LogGroupFault.Entry)]
    internal void The_first_failure_ends_it(int at, LogGroupFault expected) =>
        Assert.Equal($"None@64 {expected}@176", Read(Two.Flip(Two.StartOf(1) + at), LogReadPolicy.ToFirstFailure));

    [Fact]
    public void Values_are_left_alone_where_others_check_them()
    {
        var value = Two.StartOf(1) + Key + 3;
        Assert.Equal("None@64 None@176 Head@304", Read(Two.Flip(value), LogReadPolicy.WithoutValues));
        Assert.Equal("None@64 Entry@176", Read(Two.Flip(value - 1), LogReadPolicy.WithoutValues));
    }

    [Fact]
    public void A_group_that_the_file_ends_within_fails_by_its_length() =>
        Assert.Equal("None@64 Length@176", Read(Two.CutTo(Two.StartOf(1) + Body + 10), LogReadPolicy.ToFirstFailure));

    [Theory]
    [InlineData(3, 0, 0, LogGroupFault.Count)]
    [InlineData(0, 0, 0, LogGroupFault.Count)]
    [InlineData(2, 1, 0, LogGroupFault.Body)]
    [InlineData(2, 0, 1, LogGroupFault.Chain)]
    internal void What_a_head_says_must_be_so(int count, uint otherBodyCrc, uint otherPreviousCrc, LogGroupFault expected)
    {
        var log = Two.Rewrite(
            1, head => head with
            {
                Count = count,
                BodyCrc = head.BodyCrc ^ otherBodyCrc,
                PreviousHeaderCrc = head.PreviousHeaderCrc ^ otherPreviousCrc,
            });
        Assert.Equal($"None@64 {expected}@176", Read(log, LogReadPolicy.ToFirstFailure));
    }

    [Fact]
    public void Sequences_and_times_do_not_go_back()
    {
        Assert.Equal("None@64 Sequence@176", Read(Two.Rewrite(1, head => head with { FirstSequence = 1 }), LogReadPolicy.ToFirstFailure));
        Assert.Equal("None@64 CommitTime@176", Read(Two.Rewrite(1, head => head with { CommitTime = 4 }), LogReadPolicy.ToFirstFailure));
        Assert.Equal("Sequence@64", Read(Two, LogReadPolicy.ToFirstFailure, LogReadStart.Beginning(lastSequence: 1)));
    }

    [Fact]
    public void What_precedes_the_first_group_need_not_be_known() =>
        Assert.Equal(
            "None@176 Head@304", Read(Two, LogReadPolicy.ToFirstFailure, new LogReadStart(Two.StartOf(1), PreviousCrc: null, 1)));

    [Fact]
    public void Behind_damage_it_goes_on_for_who_wants_what_is_left()
    {
        var log = Two.Rewrite(0, head => head with { BodyCrc = 1 }).Append("four");
        Assert.Equal("None@64 Chain@176 None@304 Head@408", Read(log, LogReadPolicy.PastDamage));
    }

    [Fact]
    public void What_is_wrong_with_a_group_can_be_read()
    {
        var (_, reader) = ReadAll(Two.Rewrite(1, head => head with { Count = 5 }), LogReadPolicy.ToFirstFailure, LogReadStart.Beginning());
        Assert.Equal("the group has 2 entries, its head says 5", reader.Problem);
    }

    static string Read(SegmentWriter log, LogReadPolicy policy) => Read(log, policy, LogReadStart.Beginning());

    static string Read(SegmentWriter log, LogReadPolicy policy, LogReadStart start) => ReadAll(log, policy, start).Found;

    static (string Found, LogGroupReader Reader) ReadAll(SegmentWriter log, LogReadPolicy policy, LogReadStart start)
    {
        using var file = log.ToFile();
        var reader = new LogGroupReader(file, file.LengthBytes, log.Segment, policy, start);
        var found = new List<string>();
        while (true)
        {
            var offset = reader.Offset;
            var isSound = reader.TryRead(out _);
            found.Add($"{reader.Fault}@{offset}");
            if (!isSound && reader.Offset == offset) return (string.Join(' ', found), reader);
        }
    }
}
