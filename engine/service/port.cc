#include "engine/workflow_service.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
