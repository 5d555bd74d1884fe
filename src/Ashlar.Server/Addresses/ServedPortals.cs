using System.Net;
using Ashlar.Api;
using Ashlar.Blocks;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>The addresses that volumes are reached through, and how: nobody but an operator says that any is not the best.</summary>
/// <param name="addresses">Those listened on, in the order of their numbers.</param>
/// <param name="states">How volumes are reached through each; protocols ask it.</param>
/// <param name="report">Gets a line for each change.</param>
sealed class ServedPortals(IReadOnlyList<IPAddress> addresses, PathStates states, Action<LogEntry> report)
{
    /// <summary>TCP ports of iSCSI and NVMe, by portal; known once they listen.</summary>
    public (IReadOnlyList<IPEndPoint> Iscsi, IReadOnlyList<IPEndPoint>? Nvme) EndPoints { get; set; } = ([], null);

    /// <summary>All of them.</summary>
    public IReadOnlyList<Portal> List() => [.. Enumerable.Range(1, addresses.Count).Select(Describe)];

    /// <summary>The one of a number, as it is written in a path.</summary>
    /// <exception cref="ApiException">There is none.</exception>
    public Portal Get(string number) => Describe(Parse(number));

    /// <summary>Has volumes reached otherwise: for commands at once, and clients are told.</summary>
    public Portal Change(string number, ChangePortal request, string by)
    {
        var group = Parse(number);
        var state = PortalAccess.All.ToList().IndexOf(request.Access);
        if (state < 0)
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, $"'{request.Access}' is none of {string.Join(", ", PortalAccess.All)}");
        }
        states.Set(group, (PathState)state);
        report(new(
            LogLevel.Information, LogEvents.PortalChanged, $"portal {group} at {addresses[group - 1]} is {request.Access}, by {by}"));
        return Describe(group);
    }

    int Parse(string number) => int.TryParse(number, out var group) && group >= 1 && group <= addresses.Count
        ? group
        : throw new ApiException(ProblemKind.PortalNotFound, $"there is no portal {number}");

    Portal Describe(int group) => new()
    {
        Number = group,
        Address = addresses[group - 1].ToString(),
        IscsiPort = EndPoints.Iscsi[group - 1].Port,
        NvmePort = EndPoints.Nvme?[group - 1].Port,
        Access = PortalAccess.All[(int)states.Of(group)],
    };
}
