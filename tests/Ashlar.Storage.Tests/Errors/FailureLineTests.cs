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
