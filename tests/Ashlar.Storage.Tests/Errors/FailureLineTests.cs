namespace Ashlar.Storage.Tests;

public sealed class FailureLineTests
{
    [Fact]
    public void What_the_disk_did_is_told_by_its_message() =>
        Assert.Equal("disk on fire", FailureLine.Of(Thrown(new IOException("disk on\nfire"))));

    [Fact]
    public void A_bug_names_its_kind_its_cause_and_where_it_was_on_one_line()
    {
        var line = FailureLine.Of(Thrown(new InvalidTimeZoneException("a\r\nbug", new InvalidOperationException("below"))));
        Assert.Equal(
            "InvalidTimeZoneException: a  bug, because of InvalidOperationException: below < Ashlar.Storage.Tests.FailureLineTests.Thrown",
            line);
    }

    [Fact]
    public void Of_a_bug_that_is_deep_down_the_innermost_places_are_named()
    {
        var line = FailureLine.Of(Assert.Throws<InvalidTimeZoneException>(() => Fall(100)));
        Assert.Equal(12, line.Split(" < ").Length - 1);

        static void Fall(int steps)
        {
            if (steps == 0) throw new InvalidTimeZoneException("deep");
            Fall(steps - 1);
            GC.KeepAlive(steps); // No tail call.
        }
    }

    static Exception Thrown(Exception failure)
    {
        try
        {
            throw failure;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }
}
