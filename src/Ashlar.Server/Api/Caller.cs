using System.Net;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Server;

/// <summary>Who calls the API.</summary>
static class Caller
{
    /// <summary>Address and port that the request came from, as others write them.</summary>
    public static string Of(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return new IPEndPoint(address, context.Connection.RemotePort).ToString();
    }
}
