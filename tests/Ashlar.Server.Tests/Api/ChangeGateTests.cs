namespace Ashlar.Server.Tests.Api;

public sealed class ChangeGateTests
{
    readonly ChangeGate gate = new();

    [Fact]
    public async Task Changes_without_a_condition_go_on_beside_each_other()
    {
        using var first = await EnterAsync(isConditional: false);
        using var second = await EnterAsync(isConditional: false).WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task One_with_a_condition_is_alone(bool isFirstConditional, bool isSecondConditional)
    {
        var first = await EnterAsync(isFirstConditional);
        var second = EnterAsync(isSecondConditional);
        Assert.False(second.IsCompleted);
        Assert.True(gate.EnterAsync("main", "other", isConditional: true).IsCompleted); // Another volume.
        first.Dispose();
        first.Dispose(); // A second time counts for nothing.
        (await second.WaitAsync(TimeSpan.FromMinutes(1))).Dispose();
    }

    [Fact]
    public async Task Turns_are_taken_in_order()
    {
        var first = await EnterAsync(isConditional: false);
        var second = EnterAsync(isConditional: true);
        var third = EnterAsync(isConditional: false); // Would else keep the second waiting, with others that follow.
        Assert.False(third.IsCompleted);
        first.Dispose();
        var turn = await second.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.False(third.IsCompleted);
        turn.Dispose();
        (await third.WaitAsync(TimeSpan.FromMinutes(1))).Dispose();
    }

    Task<IDisposable> EnterAsync(bool isConditional) => gate.EnterAsync("main", "vm1", isConditional);
}
