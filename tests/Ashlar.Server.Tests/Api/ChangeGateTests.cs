namespace Ashlar.Server.Tests.Api;

public sealed class ChangeGateTests
{
    static readonly Guid Volume = new("00000000-0000-0000-0000-000000000001"), Other = new("00000000-0000-0000-0000-000000000002");

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
        Assert.True(gate.EnterAsync(() => Other, isConditional: true).IsCompleted); // Another volume.
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

    [Fact]
    public async Task Where_the_name_is_another_volumes_when_the_turn_has_come_that_ones_is_waited_for()
    {
        var (first, second) = (await EnterAsync(isConditional: false), await gate.EnterAsync(() => Other, isConditional: false));
        var found = Volume;
        var turn = gate.EnterAsync(() => found, isConditional: true);
        found = Other;
        first.Dispose();
        Assert.False(turn.IsCompleted);
        using (var next = await EnterAsync(isConditional: true).WaitAsync(TimeSpan.FromMinutes(1))) // The first is free again.
            Assert.False(turn.IsCompleted);
        second.Dispose();
        (await turn.WaitAsync(TimeSpan.FromMinutes(1))).Dispose();
    }

    [Fact]
    public async Task A_volume_that_has_gone_when_the_turn_has_come_keeps_no_turn()
    {
        var first = await EnterAsync(isConditional: false);
        var isThere = true;
        var turn = gate.EnterAsync(() => isThere ? Volume : throw new InvalidOperationException("gone"), isConditional: true);
        isThere = false;
        first.Dispose();
        await Assert.ThrowsAsync<InvalidOperationException>(() => turn.WaitAsync(TimeSpan.FromMinutes(1)));
        (await EnterAsync(isConditional: true).WaitAsync(TimeSpan.FromMinutes(1))).Dispose();
    }

    Task<IDisposable> EnterAsync(bool isConditional) => gate.EnterAsync(() => Volume, isConditional);
}
