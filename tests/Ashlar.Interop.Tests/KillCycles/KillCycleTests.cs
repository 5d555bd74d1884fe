using System.Globalization;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Interop.Tests.Server;
using Ashlar.Interop.Tests.Tools;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.KillCycles;

public sealed class KillCycleTests(ITestOutputHelper output)
{
    static int Cycles => Environment.GetEnvironmentVariable("ASHLAR_KILL_CYCLES") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : 30;

    [FactWith(NbdClient.Library, IscsiClient.Library)]
    public void Flushed_writes_over_both_protocols_survive_kills_at_any_moment()
    {
        using var directory = new TemporaryDirectory();
        using var server = new AshlarProcess(directory["data"], "1GiB");
        new KillCycleRun(server, Seed.Choose(), output.WriteLine).Run(Cycles);
    }
}
