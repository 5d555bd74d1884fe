using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>An error as it is sent.</summary>
static class ErrorAnswer
{
    public static async Task SendAsync(HttpContext http, S3Exception failure, string resource, string requestId)
    {
        if (failure.Error.Status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified)
        {
            // These have no body.
            http.Response.StatusCode = failure.Error.Status;
            return;
        }

        using var answer = new XmlAnswer("Error", hasNamespace: false);
        Write(answer, failure).Text("Resource", resource).Text("RequestId", requestId).Text("HostId", requestId);
        await answer.SendAsync(http, failure.Error.Status);
    }

    /// <summary>What is said of an error, wherever.</summary>
    public static XmlAnswer Write(XmlAnswer answer, S3Exception failure)
    {
        answer.Text("Code", failure.Error.Code).Text("Message", failure.Message);
        foreach (var (name, value) in failure.Details) answer.Text(name, value);
        return answer;
    }
}
