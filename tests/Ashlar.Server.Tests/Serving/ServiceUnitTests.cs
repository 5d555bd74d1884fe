using System.Globalization;
using Ashlar.CommandLine;
using Ashlar.TestKit;

namespace Ashlar.Server.Tests.Serving;

/// <summary>The unit of the service, beside what the program ends with.</summary>
public sealed class ServiceUnitTests
{
    [Fact]
    public void A_service_is_not_started_again_where_only_somebody_can_mend_why_it_does_not_start()
    {
        var unit = File.ReadAllLines(Path.Combine(Repository.Root, "eng/packaging/ashlar.service"));
        ExitCode[] hopeless = [ExitCode.Usage, ExitCode.PermissionDenied, ExitCode.Damaged];
        var codes = string.Join(' ', hopeless.Select(code => ((int)code).ToString(CultureInfo.InvariantCulture)));
        Assert.Contains("Restart=on-failure", unit);
        Assert.Contains($"RestartPreventExitStatus={codes}", unit);
    }
}
