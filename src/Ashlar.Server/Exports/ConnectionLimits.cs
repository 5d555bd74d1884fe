using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Server;

/// <summary>How many clients there may be, so that they never take the descriptors that files and threads need.</summary>
/// <param name="PerProtocol">Connections of NBD, and as many of iSCSI and of NVMe.</param>
/// <param name="Notice">What the operator should know, or null.</param>
sealed record ConnectionLimits(int PerProtocol, string? Notice)
{
    const int Wanted = 1024;

    /// <summary>Of these one address has at most so many, so that one that goes wrong leaves as many to the others.</summary>
    public int PerAddress => Math.Max(1, PerProtocol / 2);

    /// <summary>Descriptors for files of the pools, the REST API and the runtime.</summary>
    const int Kept = 512;

    /// <summary>
    /// What a server takes before anybody comes: some 190 at rest, 150 of them the runtime's, two for each assembly, and what requests to
    /// the API load.
    /// </summary>
    const int AtRest = 240;

    const int LeastKept = AtRest + StreamListener.KeptDescriptors;

    const int Least = LeastKept + 16;

    const int Protocols = 3;

    /// <summary>Limits for this process, whose limit of descriptors is raised where it may be.</summary>
    /// <exception cref="ServerStartException">Too few may be open for a server.</exception>
    public static ConnectionLimits OfProcess() => Of(DescriptorLimit.Raise((Protocols * Wanted) + Kept));

    /// <summary>Limits for a process that may have so many descriptors open.</summary>
    public static ConnectionLimits Of(long descriptors)
    {
        const int needed = (Protocols * Wanted) + Kept;
        if (descriptors >= needed) return new(Wanted, null);
        if (descriptors < Least)
        {
            throw new ServerStartException(
                StartProblem.Descriptors, $"only {descriptors} descriptors may be open (ulimit -n): a server needs {Least}");
        }
        var perProtocol = (int)(descriptors - Math.Clamp(descriptors / 2, LeastKept, Kept)) / Protocols;
        Invariant.Require(perProtocol > 0);
        return new(
            perProtocol,
            $"only {descriptors} descriptors may be open (ulimit -n): NBD, iSCSI and NVMe take {perProtocol} connections each; "
            + $"{needed} descriptors would allow {Wanted}");
    }
}
