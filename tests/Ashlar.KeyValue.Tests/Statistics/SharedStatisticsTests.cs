using System.Diagnostics.Metrics;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Tests;

public sealed class SharedStatisticsTests
{
    readonly SimulatedClock clock = new();
    readonly SharedStatistics shared;
    int taken;

    public SharedStatisticsTests() => shared = new SharedStatistics(Take, clock);

    [Fact]
    public void A_collection_of_all_instruments_looks_at_the_store_once()
    {
        var found = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == KeyValueMetrics.MeterName) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Note(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Note(instrument, tags));
        KeyValueMetrics.Add(shared, "/counted");
        try
        {
            listener.Start();
            listener.RecordObservableInstruments();
            Assert.True(found.Count > 30);
            Assert.Equal(1, taken);
            listener.RecordObservableInstruments();
            Assert.Equal(2, taken);
        }
        finally
        {
            KeyValueMetrics.Remove(shared);
        }

        // Other stores of this process are metered as well.
        void Note(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.ToArray().Any(tag => tag.Value as string == "/counted")) found.Add(instrument.Name);
        }
    }

    [Fact]
    public void An_instrument_that_asks_again_gets_new_figures()
    {
        Assert.Equal(1, shared.For("a").Puts);
        Assert.Equal(1, shared.For("b").Puts);
        Assert.Equal(2, shared.For("a").Puts);
        Assert.Equal(2, shared.For("b").Puts);
    }

    [Fact]
    public void Figures_are_not_kept_for_a_collector_that_comes_later()
    {
        Assert.Equal(1, shared.For("a").Puts);
        clock.Advance(SharedStatistics.KeptFor);
        Assert.Equal(2, shared.For("b").Puts);
    }

    KeyValueStatistics Take() => new() { Puts = ++taken };
}
