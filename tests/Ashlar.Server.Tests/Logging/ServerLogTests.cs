using System.Globalization;
using System.Text;
using System.Text.Json;
using Ashlar.Simulation;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server.Tests.Logging;

public sealed class ServerLogTests
{
    readonly StringWriter lines = new();

    [Fact]
    public void A_line_for_people_has_time_level_and_message()
    {
        using (var log = new ServerLog(lines, new SimulatedClock()))
        {
            log.Write(new(LogLevel.Information, "one", "server: stopped"));
            log.Write(new(LogLevel.Warning, "two", "nbd: two\nlines\e[31m"));
            log.Write(new(LogLevel.Error, "three", "pool main: bad"));
        }
        Assert.Matches(
            @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO server: stopped\n\S+Z WARNING nbd: two lines \[31m\n\S+Z ERROR pool main: bad\n$",
            lines.ToString());
    }

    [Fact]
    public void A_line_for_programs_is_an_object_with_the_parts_of_the_message()
    {
        var entry = new LogEntry(LogLevel.Warning, "client-failed", "nbd: it said \"no\"\n")
        {
            Pool = "main",
            Volume = "main/vm1",
            Protocol = "nbd",
            Client = "iqn.test:ü",
            Address = "192.0.2.1:4711",
            SizeBytes = 512,
        };
        using (var log = new ServerLog(lines, new SimulatedClock(), format: LogFormat.Json)) log.Write(entry);
        var line = lines.ToString();
        Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal)); // One line, whatever the message holds.
        var json = JsonDocument.Parse(line).RootElement;
        Assert.Equal(
            ["time", "level", "event", "message", "pool", "volume", "protocol", "client", "address", "sizeBytes"],
            json.EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            ("warning", "client-failed", "nbd: it said \"no\"\n", "main/vm1", "iqn.test:ü", 512),
            (Text("level"), Text("event"), Text("message"), Text("volume"), Text("client"), json.GetProperty("sizeBytes").GetInt32()));
        Assert.True(DateTimeOffset.TryParseExact(
            Text("time"), "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _));

        string? Text(string member) => json.GetProperty(member).GetString();
    }

    [Fact]
    public void What_an_entry_does_not_have_is_not_there()
    {
        using (var log = new ServerLog(lines, new SimulatedClock(), format: LogFormat.Json)) log.Write(new(LogLevel.Error, "bug", "a bug"));
        Assert.Equal(4, JsonDocument.Parse(lines.ToString()).RootElement.EnumerateObject().Count());
    }

    [Theory]
    [InlineData(LogLevel.Debug, "debug info warning error")]
    [InlineData(LogLevel.Information, "info warning error")]
    [InlineData(LogLevel.Warning, "warning error")]
    [InlineData(LogLevel.Error, "error")]
    public void What_matters_less_than_the_level_is_not_written(LogLevel level, string written)
    {
        using (var log = new ServerLog(lines, new SimulatedClock(), level))
        {
            log.Write(new(LogLevel.Debug, "a", "debug"));
            log.Write(new(LogLevel.Information, "b", "info"));
            log.Write(new(LogLevel.Warning, "c", "warning"));
            log.Write(new(LogLevel.Error, "d", "error"));
        }
        Assert.Equal(written, string.Join(' ', lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[^1])));
    }

    [Fact]
    public void Nobody_waits_for_who_reads_and_what_finds_no_room_is_counted_in_its_place()
    {
        using var writer = new SlowWriter();
        using (var log = new ServerLog(writer, new SimulatedClock()))
        {
            log.Write(new(LogLevel.Information, "line", "0"));
            writer.IsWriting.Wait(TimeSpan.FromMinutes(1)); // The first is taken, the others wait.
            for (var i = 1; i <= 5000; i++) log.Write(new(LogLevel.Information, "line", $"{i}"));
            writer.Go.Set();
            log.Flush();
            log.Write(new(LogLevel.Information, "line", "last"));
        }
        var written = writer.Lines.Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]).ToArray();
        Assert.Equal(
            [
                .. Enumerable.Range(0, 4097).Select(i => $"INFO {i}"),
                "WARNING log: 904 lines were left out, because 4096 waited to be written",
                "INFO last",
            ],
            written);
    }

    [Fact]
    public void A_reader_that_has_gone_stops_nobody()
    {
        using var log = new ServerLog(new ClosedWriter(), new SimulatedClock());
        log.Write(new(LogLevel.Information, "line", "one"));
        log.Flush();
        log.Write(new(LogLevel.Information, "line", "two"));
        log.Flush();
    }

    sealed class SlowWriter : TextWriter
    {
        public ManualResetEventSlim IsWriting { get; } = new();

        public ManualResetEventSlim Go { get; } = new();

        public List<string> Lines { get; } = [];

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            IsWriting.Set();
            Go.Wait(TimeSpan.FromMinutes(1));
            Lines.Add(value!);
        }

        protected override void Dispose(bool disposing)
        {
            IsWriting.Dispose();
            Go.Dispose();
            base.Dispose(disposing);
        }
    }

    sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => throw new IOException("Broken pipe");
    }
}
