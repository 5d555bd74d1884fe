namespace Ashlar.Iscsi.Tests;

public sealed class WindowAndLayoutTests
{
    [Theory]
    [InlineData(1u, 2u)]
    [InlineData(0xFFFFFFFFu, 0u)]
    [InlineData(0x80000001u, 0u)]
    public void Numbers_wrap_around(uint earlier, uint later)
    {
        Assert.True(SerialNumber.IsBefore(earlier, later));
        Assert.True(SerialNumber.IsAfter(later, earlier));
        Assert.False(SerialNumber.IsBefore(later, earlier));
    }

    [Fact]
    public void The_window_takes_commands_in_order_across_the_wrap()
    {
        var window = new CommandWindow(0xFFFFFFFE, depth: 4);
        Assert.Equal(1u, window.MaxCmdSN);
        Assert.Equal(CommandVerdict.OutsideWindow, window.Admit(0xFFFFFFFD));
        Assert.Equal(CommandVerdict.OutsideWindow, window.Admit(2));
        Assert.Equal(CommandVerdict.Missing, window.Admit(0xFFFFFFFF));
        Assert.Equal(CommandVerdict.Next, window.Admit(0xFFFFFFFE));
        Assert.Equal(CommandVerdict.Next, window.Admit(0xFFFFFFFF));
        Assert.Equal(CommandVerdict.Next, window.Admit(0));
        Assert.Equal(CommandVerdict.OutsideWindow, window.Admit(0));
    }

    [Fact]
    public void The_window_opens_for_what_has_room_and_never_closes()
    {
        var window = new CommandWindow(10, depth: 4);
        window.Admit(10);
        window.TaskBegins();
        window.Advance();
        Assert.Equal(13u, window.MaxCmdSN);
        window.TaskEnds();
        window.Advance();
        Assert.Equal(14u, window.MaxCmdSN);
        for (var i = 0; i < 4; i++) window.TaskBegins();
        window.Advance();
        Assert.Equal(14u, window.MaxCmdSN);
    }

    [Theory]
    [InlineData(4096, 262144, 1, 48 + 4096)]
    [InlineData(1048576, 262144, 4, (4 * 48) + 1048576)]
    [InlineData(5, 4, 2, (2 * 48) + 8)]
    [InlineData(9000, 8192, 2, (2 * 48) + 9000)]
    public void Headers_and_data_fill_one_buffer(int length, int segment, int count, int total)
    {
        var layout = new DataInLayout(length, segment);
        Assert.Equal(count, layout.SegmentCount);
        Assert.Equal(total, layout.TotalBytes);
        Assert.Equal(length, Enumerable.Range(0, count).Sum(layout.SegmentBytes));
        Assert.Equal(0, layout.SegmentBytes(count));
        var last = layout.HeaderOffset(count - 1) + 48 + layout.SegmentBytes(count - 1);
        Assert.Equal(total, last + BasicHeaderSegment.Padding(length));
    }
}
