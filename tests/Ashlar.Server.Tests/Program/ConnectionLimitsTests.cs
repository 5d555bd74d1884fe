namespace Ashlar.Server.Tests;

/// <summary>Clients never take the descriptors that files and threads need.</summary>
public sealed class ConnectionLimitsTests
{
    [Theory]
    [InlineData(1L << 40)]
    [InlineData(1 << 20)]
    [InlineData(3584)]
    public void With_descriptors_enough_nothing_is_said(long descriptors) =>
        Assert.Equal(new ConnectionLimits(1024, null), ConnectionLimits.Of(descriptors));

    [Theory]
    [InlineData(3583, 1023)]
    [InlineData(1024, 170)]
    [InlineData(608, 101)]
    [InlineData(512, 69)]
    [InlineData(400, 32)]
    [InlineData(320, 5)]
    public void With_fewer_there_are_fewer_clients_and_the_operator_is_told(long descriptors, int expected)
    {
        var limits = ConnectionLimits.Of(descriptors);
        Assert.Equal(expected, limits.PerProtocol);
        Assert.Contains($"only {descriptors} descriptors may be open (ulimit -n)", limits.Notice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(319)]
    [InlineData(3)]
    public void With_too_few_for_a_server_there_is_none(long descriptors)
    {
        var refusal = Assert.Throws<ServerStartException>(() => ConnectionLimits.Of(descriptors));
        Assert.Equal(StartProblem.Descriptors, refusal.Problem);
        Assert.Contains($"only {descriptors} descriptors may be open (ulimit -n)", refusal.Message, StringComparison.Ordinal);
    }
}
