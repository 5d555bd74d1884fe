using System.Runtime.InteropServices;
using Ashlar.CommandLine;
using Ashlar.Simulation;

namespace Ashlar.Server.Tests.Program;

/// <summary>What the first signal does, what the same once more, and what a second.</summary>
public sealed class StopSignalsTests
{
    [Fact]
    public void The_first_asks_and_only_one_that_comes_later_ends_at_once()
    {
        var clock = new SimulatedClock();
        using var signals = new StopSignals(clock);
        Assert.False(signals.Token.IsCancellationRequested);
        Assert.True(IsHandled(PosixSignal.SIGINT));
        Assert.True(signals.Token.IsCancellationRequested);
        clock.Advance(StopSignals.OneStop - TimeSpan.FromMilliseconds(1));
        Assert.True(IsHandled(PosixSignal.SIGTERM));
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.False(IsHandled(PosixSignal.SIGINT));

        bool IsHandled(PosixSignal signal)
        {
            var context = new PosixSignalContext(signal);
            signals.Handle(context);
            return context.Cancel;
        }
    }
}
